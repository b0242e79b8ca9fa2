"""A histogram of two groups: bars are where the values are."""

import numpy as np
import pytest

from errlens.figures.gallery import COLOURS, SIDE
from errlens.figures.histogram import HEIGHT, histogram_pixels

MIDDLE = HEIGHT // 2


def coloured(pixels, kind):
    return (pixels == COLOURS[kind]).all(axis=2)


def test_errors_stand_above_the_line_and_right_ones_hang_below():
    pixels = histogram_pixels(np.linspace(0, 0.2, 50), np.linspace(0.5, 1, 50))
    wrong, right = coloured(pixels, "wrong"), coloured(pixels, "right")
    assert wrong[:MIDDLE].any()
    assert not wrong[MIDDLE:].any()
    assert right[MIDDLE:].any()
    assert not right[:MIDDLE].any()
    assert np.flatnonzero(wrong.any(axis=0)).max() < SIDE / 3
    assert np.flatnonzero(right.any(axis=0)).min() > SIDE / 3


def test_a_mark_stands_at_its_value():
    pixels = histogram_pixels(np.arange(101.0), np.arange(101.0), mark=25.0)
    dark = np.flatnonzero((pixels[0] < 100).all(axis=1))
    assert dark == pytest.approx([SIDE / 4], abs=2)


@pytest.mark.parametrize(
    "values", [[], [np.nan], [3.0], [1.0, 1.0], [np.inf, 0.0], [-1e300, 1e300]]
)
def test_any_values_are_drawn(values):
    pixels = histogram_pixels(np.array(values), np.array(values), mark=1.0)
    assert pixels.shape == (HEIGHT, SIDE, 3)

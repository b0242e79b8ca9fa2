"""Places cover the image, and have names that people use."""

import numpy as np
import pytest

from errlens.analysis.findings.causes.places.grid import FRAME, PLACES, STRIPS, WINDOWS, Place


def test_windows_cover_every_square_and_any_stamp_of_a_sixth_wherever_it_lies():
    assert np.logical_or.reduce([window.covered for window in WINDOWS]).all()
    stamp = 1 / 6
    for top, left in np.random.default_rng(0).uniform(0, 1 - stamp, (200, 2)):
        assert any(
            window.top <= top + 1e-9
            and window.left <= left + 1e-9
            and window.bottom >= top + stamp - 1e-9
            and window.right >= left + stamp - 1e-9
            for window in WINDOWS
        )


def test_the_frame_is_its_four_strips():
    strips = np.logical_or.reduce([strip.covered for strip in STRIPS])
    np.testing.assert_array_equal(FRAME.covered, strips)


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (5, 2), (64, 64), (224, 192)])
def test_a_place_has_a_pixel_at_least_and_lies_inside(size):
    for place in PLACES:
        top, left, bottom, right = place.pixels(*size)
        assert 0 <= top < bottom <= size[0]
        assert 0 <= left < right <= size[1]


def test_places_know_their_corners_edges_and_middle():
    names = {place.name for place in PLACES}
    assert {"the lower right corner", "the middle", "the middle of the left edge"} <= names
    assert Place(0, 0, 2 / 6, 2 / 6).name == "the upper left corner"
    assert FRAME.name == "the frame along all edges"


def test_overlap_is_mutual():
    assert all(a.overlaps(b) == b.overlaps(a) for a in PLACES for b in PLACES)

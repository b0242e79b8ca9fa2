"""The match of two maps against scipy and against shifts done one by one."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from errlens.analysis.occlusion.match import match

SHAPES = st.tuples(st.integers(2, 6), st.integers(2, 6))


@st.composite
def pairs(draw):
    shape = draw(SHAPES)
    values = st.integers(-5, 5).map(float)
    return tuple(draw(arrays.arrays(np.float64, shape, elements=values)) for _ in range(2))


@given(pairs())
def test_it_is_spearmans_over_all_positions_and_all_shifts(maps):
    falls, energy = maps
    assume(np.ptp(falls) > 0 and np.ptp(energy) > 0)
    found = match(falls, energy, 2.0)
    expected = spearmanr(falls.ravel(), energy.ravel()).statistic
    assert found.correlation == pytest.approx(expected, abs=1e-9)
    shifted = [
        spearmanr(np.roll(falls, (down, across), axis=(0, 1)).ravel(), energy.ravel()).statistic
        for down, across in np.ndindex(falls.shape)
    ]
    assert found.p_value == pytest.approx(np.mean(np.array(shifted) >= expected - 1e-9))
    assert found.n == falls.size
    most = int(energy.argmax())
    assert found.lost_there == pytest.approx(falls.flat[most] / 2)
    assert found.lost_median == pytest.approx(np.median(falls) / 2)


def test_of_smooth_maps_that_have_nothing_to_do_with_each_other_few_match():
    random = np.random.default_rng(0)
    n, sure = 400, 0
    for _ in range(n):
        first, second = (
            gaussian_filter(random.normal(size=(10, 10)), 1.5, mode="wrap") for _ in "ab"
        )
        sure += match(first, second, 1.0).p_value <= 0.05
    # As many as the p-value says; a test that took positions for independent would name a third.
    assert sure / n < 0.08


@pytest.mark.parametrize(
    ("falls", "energy"),
    [
        (np.ones((3, 3)), np.eye(3)),
        (np.eye(3), np.zeros((3, 3))),
        (np.full((3, 3), np.nan), np.eye(3)),
    ],
)
def test_what_cannot_be_compared_has_no_match(falls, energy):
    assert match(falls, energy, 1.0) is None


def test_of_an_activity_that_is_not_above_zero_no_share_is_lost():
    found = match(np.eye(3), np.eye(3), -1.0)
    assert found.lost_there is found.lost_median is None

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.attribution.judging.map_checks import map_flags


def noise(n, *, seed=0, shape=(7, 7)):
    return list(np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32))


def test_maps_of_different_images_have_no_flag():
    assert map_flags(noise(12)) == [""] * 12


def test_maps_that_are_all_the_same_but_for_scale_and_noise_are_alike():
    (one,) = noise(1)
    same = [scale * one + 0.01 * other for scale, other in enumerate(noise(6, seed=1), start=1)]
    assert map_flags(same) == ["alike"] * 6
    assert map_flags(same[:3]) == [""] * 3  # too few to say


def test_the_one_map_that_differs_is_not_alike():
    (one,) = noise(1)
    maps = [one + 0.01 * other for other in noise(20, seed=1)] + noise(1, seed=2)
    assert map_flags(maps) == ["alike"] * 20 + [""]


def test_maps_of_different_size_are_not_compared():
    assert map_flags(noise(4) + noise(4, shape=(7, 8))) == [""] * 8


@pytest.mark.parametrize(("value", "flag"), [(0.0, "empty"), (2.5, "constant")])
def test_maps_that_say_nothing_are_told(value, flag):
    maps = [np.full((3, 3), value, np.float32), *noise(5)]
    assert map_flags(maps) == [flag, *[""] * 5]


@given(st.lists(st.floats(-100, 100, width=32), min_size=5, max_size=20))
def test_flags_are_one_a_map_whatever_the_values(values):
    maps = [np.float32([[value, 1.0], [value, 0.0]]) for value in values]
    assert len(map_flags(maps)) == len(maps)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.attribution.judging.pointing_game import energy_inside


def test_a_map_of_cells_covers_the_image_evenly():
    values = np.zeros((7, 7), np.float32)
    values[2, 3] = 5.0
    region = np.zeros((224, 224), np.float32)
    region[64:96, 96:112] = 1.0  # the left half of this cell
    assert energy_inside(values, region) == pytest.approx(0.5)


def test_what_speaks_against_the_target_does_not_count():
    values = np.float32([[4, -100], [0, 4]])
    assert energy_inside(values, np.float32([[1, 1], [0, 0]])) == 0.5
    assert energy_inside(-np.abs(values), np.ones((2, 2), np.float32)) is None
    assert energy_inside(values, None) is None


@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 9))
def test_inside_and_outside_are_all(seed, height, width):
    random = np.random.default_rng(seed)
    values = random.normal(size=(height, width)).astype(np.float32)
    values[0, 0] = 1.0
    region = random.random((20, 30)).astype(np.float32)
    inside, outside = (
        energy_inside(values, region),
        energy_inside(values, 1 - region),
    )
    assert 0 <= inside <= 1
    assert inside + outside == pytest.approx(1, abs=1e-5)

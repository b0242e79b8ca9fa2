import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from errlens.analysis.atlas.grid import binned
from errlens.errors import UnfitOption

PLACES = st.integers(1, 60).flatmap(
    lambda n: arrays.arrays(np.float64, (n, 2), elements=st.floats(0, 1))
)
GRID = st.integers(2, 12)


def histogram(places, grid):
    """Return points by cell, the upper row first, as numpy counts them."""
    counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], bins=grid, range=[[0, 1], [0, 1]])
    return counts.astype(int)


@given(PLACES, GRID)
def test_counts_are_those_of_numpy(places, grid):
    found = binned(places, grid=grid, min_density=1)
    np.testing.assert_array_equal(found.counts, histogram(places, grid))


@given(st.integers(2, 12), st.data())
def test_a_point_on_an_edge_is_in_the_cell_that_numpy_puts_it_in(grid, data):
    edges = st.sampled_from(np.linspace(0, 1, grid + 1).tolist())
    places = np.array(data.draw(st.lists(st.tuples(edges, edges), min_size=1, max_size=20)))
    found = binned(places, grid=grid, min_density=1)
    np.testing.assert_array_equal(found.counts, histogram(places, grid))


@given(PLACES, GRID)
def test_each_point_is_in_one_cell(places, grid):
    found = binned(places, grid=grid, min_density=1)
    assert found.cell.min() >= 0
    of_cells = np.bincount(found.cell, minlength=len(found.cells))
    row, column = found.cells.T
    np.testing.assert_array_equal(of_cells, found.counts[row, column])
    assert of_cells.sum() == len(places)


@given(PLACES, GRID, st.integers(1, 5))
def test_cells_are_those_with_enough_points_in_reading_order(places, grid, least):
    if histogram(places, grid).max() < least:
        return
    found = binned(places, grid=grid, min_density=least)
    np.testing.assert_array_equal(found.cells, np.argwhere(histogram(places, grid) >= least))
    drawn = {tuple(cell) for cell in found.cells.tolist()}
    for (x, y), cell in zip(places, found.cell, strict=True):
        place = (min(int(y * grid), grid - 1), min(int(x * grid), grid - 1))
        if cell >= 0:
            # Rounding may put a point that lies on an edge into either cell.
            assert np.abs(found.cells[cell] - place).max() <= 1
        elif place in drawn:
            assert np.abs(np.array([x, y]) * grid % 1 - 0.5).max() > 0.49


@given(PLACES, st.integers(3, 12))
def test_what_is_proposed_where_no_cell_is_full_enough_draws_one(places, grid):
    fullest = histogram(places, grid).max()
    with pytest.raises(UnfitOption, match=f"has {fullest} of {len(places)}") as refused:
        binned(places, grid=grid, min_density=fullest + 1)
    hint = refused.value.hint or ""
    words = hint.replace(",", "").split()
    assert words[:2] == ["--min-density", str(fullest)]
    assert len(binned(places, grid=grid, min_density=fullest).cells)
    if "--grid" in words:
        coarser = int(words[words.index("--grid") + 1])
        assert len(binned(places, grid=coarser, min_density=fullest + 1).cells)

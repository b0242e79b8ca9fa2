"""The cells of an atlas: a grid over its map, and which points lie in which cell."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.errors import UnfitOption
from errlens.formats import counted

NO_CELL: Final = -1
_LEAST_GRID: Final = 2
_NEARLY_ALL: Final = 0.9


class Binned(NamedTuple):
    """Points in the cells of a map that are drawn, which are numbered in reading order.

    Attributes:
        grid: Cells along each side.
        counts: Points in each cell of the grid, also in those not drawn, int64 of shape
            (grid, grid), the upper row first.
        cells: The rows and columns of the m cells drawn, int64 of shape (m, 2).
        cell: The number of the cell that each point is in, `NO_CELL` where that is not drawn, int32
            of shape (n,).
    """

    grid: int
    counts: NDArray[np.int64]
    cells: NDArray[np.int64]
    cell: NDArray[np.int32]


def binned(places: NDArray[np.float64], *, grid: int, min_density: int) -> Binned:
    """Return which points lie in which cell; cells with fewer than `min_density` are not drawn.

    A cell holds its left and upper edge, the last ones also the right and the lower, as those of
    `np.histogram2d`: each point is in exactly one.

    Args:
        places: Shape (n, 2), x to the right and y down, 0 to 1.
        grid: Cells along each side.
        min_density: Points of a cell, at least 1.

    Raises:
        UnfitOption: No cell has so many points.

    >>> found = binned(np.array([[0.0, 0.0], [0.5, 0.2], [1.0, 1.0]]), grid=2, min_density=1)
    >>> found.cells.tolist(), found.cell.tolist()
    ([[0, 0], [0, 1], [1, 1]], [0, 1, 2])
    """
    counts, of_grid = _counted(places, grid)
    flat = counts.ravel()
    drawn = np.flatnonzero(flat >= min_density)
    if not len(drawn):
        raise _no_cell(places, counts, grid, min_density)
    number = np.full(grid * grid, NO_CELL, np.int32)
    number[drawn] = np.arange(len(drawn))
    return Binned(grid, counts, np.stack(np.divmod(drawn, grid), axis=1), number[of_grid])


def fuller_grid(places: NDArray[np.float64], *, grid: int, min_density: int) -> int | None:
    """Return the finest of the coarser grids whose cells hold nearly all points; None without one.

    >>> places = np.repeat([[0.1, 0.1], [0.3, 0.1], [0.9, 0.9]], 3, axis=0)
    >>> fuller_grid(places, grid=12, min_density=4)
    >>> fuller_grid(places, grid=12, min_density=3)
    11
    """
    for side in range(grid - 1, _LEAST_GRID - 1, -1):
        counts, _ = _counted(places, side)
        if counts[counts >= min_density].sum() >= _NEARLY_ALL * len(places):
            return side
    return None


def _counted(places: NDArray[np.float64], grid: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return points by cell of a grid, and in which of all its cells each point is."""
    edges = np.linspace(0, 1, grid + 1)
    column, row = np.clip(np.searchsorted(edges, places.T, side="right") - 1, 0, grid - 1)
    of_grid = row * grid + column
    return np.bincount(of_grid, minlength=grid * grid).reshape(grid, grid), of_grid


def _no_cell(
    places: NDArray[np.float64], counts: NDArray[np.int64], grid: int, min_density: int
) -> UnfitOption:
    """Say how full the fullest cell is, and what would draw one."""
    row, column = np.unravel_index(int(counts.argmax()), counts.shape)
    fullest = int(counts.max())
    coarser = (
        side
        for side in range(grid - 1, _LEAST_GRID - 1, -1)
        if _counted(places, side)[0].max() >= min_density
    )
    side = next(coarser, None)
    return UnfitOption(
        f"no cell of the {grid} x {grid} grid has {counted(min_density, 'point')}: the fullest, in "
        f"row {row} and column {column}, has {fullest} of {len(places)}",
        hint=f"--min-density {fullest}" + (f", or --grid {side}" if side else ""),
    )

"""The map of an atlas as numbers: where its points are, its cells, and what they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.cells import CellMeans, cell_means, cell_table
from errlens.analysis.atlas.collected import Collected
from errlens.analysis.atlas.grid import Binned, binned
from errlens.analysis.atlas.nearest import nearest_points
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

# One row a source: the points that are nearest to the mean of their cell, rank 1 first; the box of
# the patch is in pixels of the input as fed.
SOURCE_COLUMNS: Final[Columns] = {
    "cell": WHOLE, "rank": WHOLE, "point": WHOLE, "row": WHOLE, "sample_id": TEXT,
    "place_row": WHOLE, "place_column": WHOLE, "similarity": NUMBER, "left": WHOLE, "top": WHOLE,
    "right": WHOLE, "bottom": WHOLE,
}  # fmt: skip


@dataclass(frozen=True)
class AtlasMap:
    """A map of n points, with m cells.

    Attributes:
        points: Which points are on it, by their numbers, int64 of shape (n,).
        places: Where they are, x to the right and y down, 0 to 1, float64 of shape (n, 2).
        cells: In which cell.
        means: Of the cells.
        table: A row a cell, as of `cells.CELL_COLUMNS`.
        sources: A row a source, as of `SOURCE_COLUMNS`, without the boxes.
    """

    points: NDArray[np.int64]
    places: NDArray[np.float64]
    cells: Binned
    means: CellMeans
    table: pd.DataFrame
    sources: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cells.cells)


def mapped(
    collected: Collected,
    points: NDArray[np.int64],
    places: NDArray[np.float64],
    *,
    classes: Sequence[str],
    grid: int,
    min_density: int,
) -> AtlasMap:
    """Return the map of some points.

    Args:
        collected: All points of the layer.
        points: Which of them, by their numbers, shape (n,).
        places: Where these are, x to the right and y down, 0 to 1, shape (n, 2).
        classes: Names, in the order of the attributions.
        grid: Cells along each side.
        min_density: Points of a cell that is drawn, at least.

    Raises:
        UnfitOption: No cell has so many points.
    """
    found = binned(places, grid=grid, min_density=min_density)
    means = cell_means(collected.activations, collected.attributions, points, found)
    of_points = collected.table.iloc[points]
    rows = of_points["row"].to_numpy(np.int64)
    near = nearest_points(collected.activations, points, rows, found, means.activation)
    where = collected.table.loc[near["point"], ["sample_id", "place_row", "place_column"]]
    sources = pd.concat([near, where.reset_index(drop=True)], axis=1)
    sources = sources[[name for name in SOURCE_COLUMNS if name in sources]]
    return AtlasMap(points, places, found, means, cell_table(found, means, rows, classes), sources)

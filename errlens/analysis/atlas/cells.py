"""What the cells of an atlas are: the means of their points, and what these speak for."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from errlens.analysis.atlas.grid import Binned
from errlens.analysis.atlas.streams import parts_of
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

# One row a cell, in reading order; attributions are means over its points. The second class is
# missing where there is one alone.
CELL_COLUMNS: Final[Columns] = {
    "cell": WHOLE, "cell_row": WHOLE, "cell_column": WHOLE, "n_points": WHOLE, "n_images": WHOLE,
    "top_class": TEXT, "top_attribution": NUMBER, "second_class": TEXT,
    "second_attribution": NUMBER,
}  # fmt: skip


class CellMeans(NamedTuple):
    """The means over the points of m cells.

    Attributes:
        activation: float32 of shape (m, channels).
        attribution: What a point adds to the logit of each class in the mean, float32 of shape
            (m, classes).
    """

    activation: NDArray[np.float32]
    attribution: NDArray[np.float32]


def cell_means(
    activations: NDArray[np.float32],
    attributions: NDArray[np.float32],
    points: NDArray[np.int64],
    found: Binned,
) -> CellMeans:
    """Return the means of cells, whose points are read a few at a time.

    Args:
        activations: Of all points, shape (all, channels).
        attributions: Of all points, shape (all, classes).
        points: Those of the map, as rows of the others.
        found: The cells that they are in.
    """
    return CellMeans(
        _means(activations, points, found.cell, len(found.cells)),
        _means(attributions, points, found.cell, len(found.cells)),
    )


def cell_table(
    found: Binned, means: CellMeans, rows: NDArray[np.int64], classes: Sequence[str]
) -> pd.DataFrame:
    """Return the table of cells, columns as of `CELL_COLUMNS`.

    Args:
        found: The cells.
        means: Of these.
        rows: Of which image each point of the map is.
        classes: Their names, in the order of the attributions.
    """
    m = len(found.cells)
    drawn = found.cell >= 0
    of_images = pd.DataFrame({"cell": found.cell[drawn], "row": rows[drawn]}).drop_duplicates()
    # Equal attributions in the order of the classes.
    order = np.argsort(-means.attribution, axis=1, kind="stable")
    table = pd.DataFrame(
        {
            "cell": np.arange(m),
            "cell_row": found.cells[:, 0],
            "cell_column": found.cells[:, 1],
            "n_points": np.bincount(found.cell[drawn], minlength=m),
            "n_images": np.bincount(of_images["cell"], minlength=m),
        }
    )
    for place, kind in enumerate(("top", "second")):
        there = order.shape[1] > place
        ranked = order[:, place] if there else np.zeros(m, np.int64)
        values = means.attribution[np.arange(m), ranked].astype(np.float64)
        names = [classes[at] if there else None for at in ranked.tolist()]
        table[f"{kind}_class"] = pd.Series(names, dtype="str")
        table[f"{kind}_attribution"] = values if there else np.nan
    return table


def _means(
    values: NDArray[np.float32],
    points: NDArray[np.int64],
    cell: NDArray[np.int32],
    m: int,
) -> NDArray[np.float32]:
    sums = np.zeros((m, values.shape[1]))
    members = np.flatnonzero(cell >= 0)
    for part in parts_of(values, len(members)):
        at = members[part]
        into = (np.ones(len(at)), (cell[at], np.arange(len(at))))
        sums += csr_array(into, shape=(m, len(at))) @ values[points[at]].astype(np.float64)
    n = np.bincount(cell[members], minlength=m)
    return (sums / n[:, None]).astype(np.float32)

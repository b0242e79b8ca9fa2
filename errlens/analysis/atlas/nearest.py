"""Which points show a cell of an atlas best: those nearest to its mean."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.grid import Binned
from errlens.analysis.atlas.streams import parts_of

SOURCES: Final = 9  # of a cell
_DIGITS: Final = 9  # cosines that differ by less are equal: sums differ with their order


def nearest_points(
    activations: NDArray[np.float32],
    points: NDArray[np.int64],
    rows: NDArray[np.int64],
    found: Binned,
    means: NDArray[np.float32],
    *,
    most: int = SOURCES,
) -> pd.DataFrame:
    """Return the points of each cell that are nearest to its mean, by the cosine; exact.

    An image is there once in a cell, by its nearest point. Equally near ones come in the order of
    the points.

    Args:
        activations: Of all points, shape (all, channels), read a few at a time.
        points: Those of the map, as rows of the others, shape (n,).
        rows: Of which image each of them is, shape (n,).
        found: The cells that they are in.
        means: Of the cells, shape (m, channels).
        most: How many of a cell.

    Returns:
        `cell, rank, point, row, similarity`, by cell; rank 1 is the nearest, similarity the cosine,
        0 where one of both is all zeros.
    """
    members = np.flatnonzero(found.cell >= 0)
    similarity = np.empty(len(members))
    for part in parts_of(activations, len(members)):
        at = members[part]
        similarity[part] = _cosines(activations[points[at]], means[found.cell[at]])
    table = pd.DataFrame(
        {
            "cell": found.cell[members].astype(np.int64),
            "point": points[members],
            "row": rows[members],
            "similarity": np.round(similarity, _DIGITS) + 0.0,
        }
    )
    ordered = table.sort_values(["cell", "similarity", "point"], ascending=[True, False, True])
    once = ordered.drop_duplicates(["cell", "row"])
    rank = once.groupby("cell").cumcount() + 1
    ranked = once.assign(rank=rank)[rank <= most].reset_index(drop=True)
    return ranked[["cell", "rank", "point", "row", "similarity"]]


def _cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each pair of rows."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    products = np.einsum("ij,ij->i", a, b)
    lengths = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    cosines: NDArray[np.float64] = products / np.where(lengths > 0, lengths, 1.0)
    return cosines

"""Images that look alike to the network, by the features before its last layer."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Features(NamedTuple):
    """Features of some rows, any dtype of shape (n, d)."""

    rows: NDArray[np.int64]
    values: NDArray[np.floating]


class Neighbour(NamedTuple):
    """A row, and its cosine similarity in [-1, 1]."""

    row: int
    similarity: float


def nearest_rows(
    query: NDArray[np.floating], parts: Iterable[Features], *, most: int
) -> list[Neighbour]:
    """Return the rows whose features point most nearly the way of `query`, shape (d,).

    Ties go to the lower row. Features without a direction, all zero or not finite, are no
    neighbours.

    >>> nearest_rows(np.array([1.0, 0.0]), [Features(np.arange(2), np.eye(2))], most=1)
    [Neighbour(row=0, similarity=1.0)]
    """
    nearest: list[Neighbour] = []
    wanted = _directions(query[np.newaxis])[0]
    for part in parts:
        # Rounded, so that equal images are equally near, whichever way their sum was added up.
        similarity = np.round(_directions(part.values) @ wanted, 12)
        order = np.lexsort((part.rows, -similarity))[:most]
        nearest += [
            Neighbour(int(part.rows[at]), float(similarity[at]))
            for at in order
            if np.isfinite(similarity[at])
        ]
        nearest.sort(key=lambda neighbour: (-neighbour.similarity, neighbour.row))
        del nearest[most:]
    return nearest


def _directions(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return vectors of length 1, NaN where there is none."""
    wide = values.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))

"""Images that look alike to the network, by the features before its last layer."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Rounded, so that equal images are equally near, whichever way their sum was added up.
_DIGITS: Final = 12
_ALIKE: Final = 2 * 10.0**-_DIGITS
_LARGEST_BLOCK: Final = 2**23  # similarities at a time


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
        similarity = np.round(_directions(part.values) @ wanted, _DIGITS)
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


def nearest_of_each(
    queries: NDArray[np.floating], among: Features, *, most: int
) -> list[list[Neighbour]]:
    """Return what `nearest_rows` does for each of several queries, shape (q, d), in one go.

    >>> nearest_of_each(np.eye(2), Features(np.array([7, 9]), np.eye(2)), most=1)
    [[Neighbour(row=7, similarity=1.0)], [Neighbour(row=9, similarity=1.0)]]
    """
    directions, wanted = _directions(among.values), _directions(queries)
    at_once = max(1, _LARGEST_BLOCK // max(1, len(directions)))
    return [
        _first(similarity, among.rows, most)
        for start in range(0, len(wanted), at_once)
        for similarity in wanted[start : start + at_once] @ directions.T
    ]


def _first(similarity: NDArray[np.float64], rows: NDArray[np.int64], most: int) -> list[Neighbour]:
    """Return the most similar rows, ties by row."""
    known = np.flatnonzero(np.isfinite(similarity))
    if len(known) > most:  # nearly all are too far away to be put in order
        least = -np.partition(-similarity[known], most - 1)[most - 1]
        known = known[similarity[known] >= least - _ALIKE]
    rounded = np.round(similarity[known], _DIGITS)
    order = np.lexsort((rows[known], -rounded))[:most]
    return [Neighbour(int(rows[known[at]]), float(rounded[at])) for at in order]

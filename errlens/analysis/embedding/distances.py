"""Who lies nearest to whom, exactly: in blocks, so that no matrix of all pairs is held."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LARGEST_BLOCK: Final = 2**22  # distances at a time
_DIGITS: Final = 12  # distances that differ by less are equal: sums differ with their order


class Nearest(NamedTuple):
    """The nearest other points of each of n points, nearest first, both of shape (n, most)."""

    places: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest_points(points: NDArray[np.floating], *, most: int) -> Nearest:
    """Return the `most` nearest others of each point, by Euclidean distance; ties by place.

    >>> nearest_points(np.array([[0.0], [1.0], [3.0]]), most=1).places.ravel().tolist()
    [1, 0, 1]
    """
    places, distances = [], []
    for squared in _blocks(points):
        found = _smallest(squared, most)
        places.append(found)
        distances.append(np.sqrt(np.take_along_axis(squared, found, axis=1)))
    return Nearest(np.concatenate(places), np.concatenate(distances))


def ranks_of(points: NDArray[np.floating], chosen: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many-th nearest to each point the chosen ones are, from 1 on; ties by place.

    Args:
        points: Shape (n, d).
        chosen: Other points of each point, shape (n, k).
    """
    ranks, start = [], 0
    for squared in _blocks(points):
        order = np.argsort(squared, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(1, len(points) + 1)[None], axis=1)
        ranks.append(np.take_along_axis(rank, chosen[start : start + len(squared)], axis=1))
        start += len(squared)
    return np.concatenate(ranks).astype(np.int64)


def _blocks(points: NDArray[np.floating]) -> Iterator[NDArray[np.float64]]:
    """Yield squared distances of a few points to all, infinite to themselves."""
    wide = points.astype(np.float64)
    lengths = np.einsum("ij,ij->i", wide, wide)
    at_once = max(1, _LARGEST_BLOCK // max(1, len(wide)))
    for start in range(0, len(wide), at_once):
        part = wide[start : start + at_once]
        squared = lengths[start : start + at_once, None] + lengths - 2 * (part @ wide.T)
        np.round(np.maximum(squared, 0.0, out=squared), _DIGITS, out=squared)
        squared[np.arange(len(part)), np.arange(start, start + len(part))] = np.inf
        yield squared


def _smallest(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return the places of the smallest values of each row, ties by place."""
    limit = np.partition(values, most - 1, axis=1)[:, most - 1 : most]
    found = np.empty((len(values), most), np.int64)
    for row, (line, largest) in enumerate(zip(values, limit, strict=True)):
        near = np.flatnonzero(line <= largest)
        found[row] = near[np.argsort(line[near], kind="stable")[:most]]
    return found

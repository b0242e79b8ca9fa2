"""Principal components: the directions in which vectors differ the most.

K. Pearson, "On lines and planes of closest fit to systems of points in space", Philosophical
Magazine 2 (1901), in the form of an eigenvalue problem.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

_AT_ONCE: Final = 1024  # rows that are widened to float64
_NOTHING: Final = 1e-9  # of the largest variance


class Components(NamedTuple):
    """Coordinates along the components, shape (n, most) float64, and their shares of the variance.

    The widest comes first. Where vectors differ in fewer directions, the other coordinates are 0.
    """

    coordinates: NDArray[np.float64]
    shares: NDArray[np.float64]


def principal_components(
    values: NDArray[np.floating], *, most: int, lengths: NDArray[np.float64] | None = None
) -> Components:
    """Return the first components of n vectors, shape (n, d).

    Of more vectors than d a few are read at a time, so that they may lie in a file. Where `lengths`
    are given, shape (n,), each vector is divided by its own first.

    The sign of a component is an accident: here its largest weight is positive, of equally large
    ones the first.

    >>> line = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> principal_components(line, most=2).coordinates.tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    n, width = values.shape
    parts = [slice(start, start + _AT_ONCE) for start in range(0, n, _AT_ONCE)]

    def read(part: slice) -> NDArray[np.float64]:
        rows = values[part].astype(np.float64)
        return rows if lengths is None else rows / lengths[part, None]

    middle = np.sum([read(part).sum(axis=0) for part in parts], axis=0) / n
    few = n < width  # the smaller of two matrices has the same eigenvalues
    if few:
        centred = np.concatenate([read(part) for part in parts]) - middle
        products = centred @ centred.T
    else:
        products = np.zeros((width, width))
        for part in parts:
            rows = read(part) - middle
            products += rows.T @ rows
    spread, vectors = _largest(products, most)
    known = spread > _NOTHING * max(float(spread[0]), np.finfo(float).tiny)
    if few:
        vectors = centred.T @ vectors / np.sqrt(np.where(known, spread, 1.0))
    largest = np.abs(np.round(vectors, 12)).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(len(spread))] < 0, -1.0, 1.0)
    directions = np.where(known, vectors * signs, 0.0)
    coordinates = np.zeros((n, most))
    for part in parts:
        coordinates[part, : len(spread)] = (read(part) - middle) @ directions
    shares = np.zeros(most)
    total = float(np.trace(products))
    shares[: len(spread)] = np.where(known, spread, 0.0) / (total or 1.0)
    return Components(coordinates, shares)


def _largest(
    products: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest eigenvalues of a symmetric matrix, falling, and their vectors."""
    size = len(products)
    first = max(0, size - most)
    spread, vectors = eigh(products, subset_by_index=(first, size - 1))
    return np.maximum(spread[::-1], 0.0), vectors[:, ::-1]

"""Filters of one layer that are alike, or the opposite of one another."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

ALIKE: Final = 0.99  # the cosine of two filters from which on they count as one
# Between fewer weights such a cosine is no rarity: of two random filters of 8 weights it is one in
# three millions, of 3 weights one in a hundred.
LEAST_WEIGHTS: Final = 8
_AT_A_TIME: Final = 512  # filters

Floats = NDArray[np.floating]


class Likeness(NamedTuple):
    """Of each filter the first before it that is the same up to a factor, shape (filters,).

    `duplicate_of` are those with a factor above zero, `negative_of` with one below; -1 where there
    is none.
    """

    duplicate_of: NDArray[np.int64]
    negative_of: NDArray[np.int64]


def find_alike(filters: Floats, *, groups: int = 1) -> Likeness | None:
    """Find filters that are alike among those that look at the same inputs.

    Args:
        filters: Shape (filters, inputs of a group, rows, columns). One that is zero, or not finite,
            is like no other.
        groups: Of the convolution: filters of another group look at other channels.

    Returns:
        None where filters have too few weights for it to mean something.

    >>> edge = np.array([1, 2, 1, 0, 0, 0, -1, -2, -1.0]).reshape(1, 3, 3)
    >>> found = find_alike(np.stack([edge, edge.transpose(0, 2, 1), 3 * edge, -edge]))
    >>> found.duplicate_of.tolist(), found.negative_of.tolist()
    ([-1, -1, 0, -1], [-1, -1, -1, 0])
    """
    flat = filters.reshape(groups, len(filters) // groups, -1)
    if flat.shape[2] < LEAST_WEIGHTS:
        return None
    duplicate_of, negative_of = (np.full(flat.shape[:2], -1) for _ in range(2))
    if flat.shape[1] > 1:
        for group, of_group in enumerate(flat):
            directions = _directions(of_group)
            for start in range(0, len(directions), _AT_A_TIME):
                stop = min(start + _AT_A_TIME, len(directions))
                cosines = np.tril(directions[start:stop] @ directions[:stop].T, start - 1)
                duplicate_of[group, start:stop] = _first(cosines >= ALIKE)
                negative_of[group, start:stop] = _first(cosines <= -ALIKE)
    first = np.arange(groups)[:, None] * flat.shape[1]
    return Likeness(
        *(np.where(found < 0, -1, found + first).ravel() for found in (duplicate_of, negative_of))
    )


def _directions(filters: Floats) -> Floats:
    """Return filters of length 1; zero instead of those that have no direction."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        filters = filters / np.abs(filters).max(axis=1, keepdims=True)
        filters = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    finite = np.isfinite(filters).all(axis=1, keepdims=True)
    return np.where(finite, filters, 0.0)


def _first(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return of each row the first place where something was found, else -1."""
    places: NDArray[np.int64] = np.where(found.any(axis=1), found.argmax(axis=1), -1)
    return places

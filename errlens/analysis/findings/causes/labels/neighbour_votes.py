"""What labels the images have that look most alike to the network, each left out of its own."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 2**13  # images compared with at once
_QUERIES: Final = 2**10  # images asked about at once


def neighbour_votes(
    features: NDArray[np.floating],
    label: NDArray[np.integer],
    asked: NDArray[np.integer],
    *,
    k: int,
    n_classes: int,
) -> NDArray[np.int32]:
    """Count the labels of the k images whose features point most nearly the way of each one asked.

    It never holds more than about 100 MB, however many images there are.

    Args:
        features: Shape (n, d); rows without a direction are nobody's neighbours and have none.
        label: Shape (n,).
        asked: Places of m images.
        k: How many neighbours, of equal weight.
        n_classes: Labels lie below it.

    Returns:
        Shape (m, n_classes).
    """
    votes = np.zeros((len(asked), n_classes), np.int32)
    for start in range(0, len(asked), _QUERIES):
        some = asked[start : start + _QUERIES]
        near, similarity = _nearest(features, some, k)
        found = np.isfinite(similarity)
        at = np.broadcast_to(np.arange(len(some))[:, None], near.shape)
        np.add.at(votes, (start + at[found], label[near[found]]), 1)
    return votes


def _nearest(
    features: NDArray[np.floating], asked: NDArray[np.integer], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the nearest images of each, and their cosine; minus infinity where there are fewer."""
    query = _directions(features[asked])
    near = np.zeros((len(asked), k), np.int64)
    best = np.full((len(asked), k), -np.inf, np.float32)
    for start in range(0, len(features), _BLOCK):
        similarity = query @ _directions(features[start : start + _BLOCK]).T
        similarity[np.isnan(similarity)] = -np.inf
        inside = np.flatnonzero((asked >= start) & (asked < start + _BLOCK))
        similarity[inside, asked[inside] - start] = -np.inf
        places = np.arange(start, start + similarity.shape[1])
        joined = np.hstack([best, similarity])
        names = np.hstack([near, np.broadcast_to(places, similarity.shape)])
        kept = np.argpartition(-joined, k - 1, axis=1)[:, :k]
        best, near = np.take_along_axis(joined, kept, 1), np.take_along_axis(names, kept, 1)
    return near, best


def _directions(values: NDArray[np.floating]) -> NDArray[np.float32]:
    wide = values.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True), np.float32)

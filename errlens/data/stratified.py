"""A part of the rows in which each label keeps its share, or has as many as any other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stratified_rows(labels: NDArray[Any], limit: int, *, seed: int) -> NDArray[np.intp]:
    """Choose `limit` rows, of every label its share or at most one row more or less; sorted.

    Whole rows first, the rest to the largest remainders (Hamilton's method); a tie, and which
    rows of a label, are up to the seed.

    >>> stratified_rows(np.array(["a", "b", "a", "a", "a", "b"]), 3, seed=0)
    array([2, 3, 5])
    """
    random = np.random.default_rng(seed)
    _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    share = min(limit, len(labels)) * sizes / len(labels)
    quota = np.floor(share + 1e-9).astype(int)
    rest = round(share.sum()) - quota.sum()
    by_remainder = np.lexsort((random.random(len(sizes)), quota - share))
    quota[by_remainder[:rest]] += 1
    return np.flatnonzero(_places(group, sizes, random) < quota[group])


def balanced_rows(labels: NDArray[Any], limit: int, *, seed: int) -> NDArray[np.intp]:
    """Choose `limit` rows, of every label as many or all it has; sorted.

    Which rows of a label, and which labels have one more, are up to the seed.

    >>> balanced_rows(np.array(["a", "b", "a", "a", "a", "b"]), 4, seed=0)
    array([1, 2, 3, 5])
    """
    random = np.random.default_rng(seed)
    _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    place = _places(group, sizes, random)
    turn = random.permutation(len(sizes))[group]
    return np.sort(np.lexsort((turn, place))[:limit])


def _places(
    group: NDArray[np.intp], sizes: NDArray[np.intp], random: np.random.Generator
) -> NDArray[np.intp]:
    """Return the place of each row among those of its label, drawn at random."""
    shuffled = random.permutation(len(group))
    by_group = shuffled[np.argsort(group[shuffled], kind="stable")]
    place = np.empty(len(group), np.intp)
    place[by_group] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return place

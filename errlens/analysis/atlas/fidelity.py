"""Whether icons show what they stand for: shown to the network again, is each its own cell's?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.statistics.intervals import wilson_interval


class Fidelity(NamedTuple):
    """How many of m icons are nearest to their own cell, and what chance would do.

    Attributes:
        value: Their share, with its interval from `low` to `high`.
        n: How many icons there are.
        chance: The share of a guess, 1 / m.
        nearest: The cell that each is nearest to, shape (m,).
        own: Whether that is its own, shape (m,).
        similarity: The cosine to its own cell's mean, shape (m,).
    """

    value: float
    low: float
    high: float
    n: int
    chance: float
    nearest: NDArray[np.int64]
    own: NDArray[np.bool_]
    similarity: NDArray[np.float64]


def fidelity(encoded: NDArray[np.floating], means: NDArray[np.floating]) -> Fidelity:
    """Compare what icons are to the network with the cells they stand for, by cosine.

    Of several cells that are equally near, the first counts.

    Args:
        encoded: Activations of icons, shape (m, channels), m at least 1.
        means: Mean activations of their cells, likewise.

    >>> fidelity(np.array([[2.0, 1.0], [1.0, 0.0]]), np.eye(2)).value
    0.5
    """
    cosines = _unit(encoded) @ _unit(means).T
    m = len(means)
    nearest = cosines.argmax(axis=1)
    own = (nearest == np.arange(m)) & encoded.any(axis=1)  # no activation is near to nothing
    interval = wilson_interval(own.sum(), m)
    return Fidelity(
        value=float(own.mean()),
        low=float(interval.low),
        high=float(interval.high),
        n=m,
        chance=1 / m,
        nearest=nearest,
        own=own,
        similarity=np.diagonal(cosines).copy(),
    )


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: NDArray[np.float64] = wide / np.where(lengths > 0, lengths, 1)
    return unit

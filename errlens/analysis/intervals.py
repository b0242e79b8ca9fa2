"""Confidence intervals."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95: Final = 1.959963984540054  # the 97.5 % point of the standard normal distribution


class Interval(NamedTuple):
    """Edges of an interval, both included; arrays where many intervals were asked for."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def wilson_interval(hits: ArrayLike, trials: ArrayLike, *, z: float = Z95) -> Interval:
    """Return the score interval of a proportion, or of many, in [0, 1].

    E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209-212. Without trials
    nothing is known: (0, 1).

    >>> [round(float(edge), 3) for edge in wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    hit, n = np.asarray(hits, dtype=float), np.asarray(trials, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = hit / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        # The edges at 0 and n hits are exact; rounding must not carry them beyond.
        low = np.where(hit == 0, 0.0, centre - half)
        high = np.where(hit == n, 1.0, centre + half)
    return Interval(np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0))

"""Confidence intervals."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Z95: Final = 1.959963984540054  # the 97.5 % point of the standard normal distribution
TAIL95: Final = 0.025  # what a 95 % interval leaves out at each end


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


def agreeing_z(
    score: NDArray[np.float64], tail: NDArray[np.float64], *, level: float
) -> NDArray[np.float64]:
    """Return the critical values of lower bounds, so that an exact test agrees about zero.

    A bound by a score test and an exact test may contradict one another where they are about
    equally sure: the one leaves out zero, the other says that chance does so in 5.1 %. There the
    critical value is as much larger, or smaller, as the score test is surer than the exact one.

    Args:
        score: How many deviations an estimate lies above zero.
        tail: The one-sided p-value of the exact test.
        level: The one-sided level of the bound.

    >>> tail = np.array([0.005, 0.03, 0.02])
    >>> agreeing_z(np.array([3.0, 2.0, 1.9]), tail, level=0.025).round(3).tolist()
    [1.96, 2.084, 1.813]
    """
    z = -float(ndtri(level))
    contradict = (score > z) != (tail < level)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = z * score / -ndtri(np.minimum(tail, 1))
    return np.where(contradict & (score > 0), scaled, z)


def on_the_side_of(
    tail: NDArray[np.float64], bound: NDArray[np.float64], *, level: float
) -> NDArray[np.float64]:
    """Return lower bounds that no rounding leaves on the other side of zero than the exact test.

    >>> on_the_side_of(np.array([0.02, 0.03]), np.array([-1e-17, 1e-17]), level=0.025) > 0
    array([ True, False])
    """
    least = np.finfo(np.float64).tiny
    return np.where(tail < level, np.maximum(bound, least), np.minimum(bound, 0.0))

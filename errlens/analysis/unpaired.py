"""Two models on different images: is the one better, and by how much?"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from errlens.analysis.intervals import wilson_interval


class UnpairedDifference(NamedTuple):
    """A proportion less another one, its 95 % interval, and how likely it is by chance.

    Arrays where many were asked for.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]


def unpaired_difference(
    old_hits: ArrayLike, old_n: ArrayLike, new_hits: ArrayLike, new_n: ArrayLike
) -> UnpairedDifference:
    """Return by how much a proportion is larger than another one, of other images.

    The interval is the hybrid score interval of R. G. Newcombe, Statistics in Medicine 17 (1998)
    873-890, method 10. `p_value` is that of the two-sided test of two proportions with their common
    variance. Where one side has no images nothing is known: the difference is not a number, the
    interval (-1, 1).

    >>> [round(float(one), 3) for one in unpaired_difference(48, 80, 56, 70)]
    [0.2, 0.052, 0.334, 0.008]
    """
    old, n, new, m = (np.asarray(one, float) for one in (old_hits, old_n, new_hits, new_n))
    known = (n > 0) & (m > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = old / n, new / m
        common = (old + new) / (n + m)
        spread = np.sqrt(common * (1 - common) * (1 / n + 1 / m))
        z = np.where(spread > 0, np.abs(q - p) / spread, 0.0)
        old_low, old_high = wilson_interval(old, n)
        new_low, new_high = wilson_interval(new, m)
        low = q - p - np.hypot(q - new_low, old_high - p)
        high = q - p + np.hypot(new_high - q, p - old_low)
    return UnpairedDifference(
        np.where(known, q - p, math.nan),
        np.where(known, low, -1.0),
        np.where(known, high, 1.0),
        np.where(known, 2 * ndtr(-z), 1.0),
    )

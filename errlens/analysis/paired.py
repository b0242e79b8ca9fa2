"""Two models on the same images: is the one better, and by how much?

Only images on which they differ tell: those that are *broken*, right before and wrong now, and
those that are *fixed*, wrong before and right now.
"""

import math
from typing import Final, NamedTuple

from errlens.analysis.intervals import Z95
from errlens.analysis.significance import mcnemar_exact

_HALVINGS: Final = 60  # until an edge moves no more


class PairedDifference(NamedTuple):
    """Accuracy now less accuracy before, its 95 % interval, and how likely it is by chance."""

    difference: float
    low: float
    high: float
    p_value: float


def paired_difference(broken: int, fixed: int, n: int) -> PairedDifference:
    """Return how much better a model is than another one on the same n images.

    The interval is the score interval of T. Tango, Statistics in Medicine 17 (1998) 891-908: unlike
    that of Wald it holds its level for few differences, too, and has a width without any. `p_value`
    is that of the exact test of Q. McNemar, Psychometrika 12 (1947) 153-157. Without images nothing
    is known: the difference is not a number, the interval (-1, 1).

    Args:
        broken: How many were right before and are wrong now.
        fixed: How many were wrong before and are right now.
        n: All images, those included on which the models agree.

    >>> [round(one, 3) for one in paired_difference(10, 30, 200)]
    [0.1, 0.04, 0.164, 0.002]
    """
    if not n:
        return PairedDifference(math.nan, -1.0, 1.0, 1.0)
    low, high = -_upper(fixed, broken, n), _upper(broken, fixed, n)
    return PairedDifference((fixed - broken) / n, low, high, float(mcnemar_exact(broken, fixed)))


def _upper(broken: int, fixed: int, n: int) -> float:
    """Return the largest difference that the score test does not reject, by bisection."""
    low, high = (fixed - broken) / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # What would be expected of `broken`, as a share, if this were the difference.
        b = (2 * n + broken - fixed) * middle - broken - fixed
        c = -broken * middle * (1 - middle)
        share = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * max(2 * share + middle * (1 - middle), 0.0)
        if n * middle - (fixed - broken) < Z95 * math.sqrt(variance):
            low = middle
        else:
            high = middle
    return high

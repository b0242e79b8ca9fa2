"""Two models on the same images: how much better or worse is one of them, and how surely?

Only images tell that one model has right and the other wrong: `broken` ones were right before and
are wrong now, `fixed` ones the other way round.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from errlens.analysis.significance import mcnemar_exact

_HALVINGS: Final = 60  # until an edge between -1 and 1 is as exact as a float
_CORRECTION: Final = 1  # half a step of broken - fixed, where as many images changed


class PairedDifference(NamedTuple):
    """Accuracy now less accuracy before, with its 95 % interval and McNemar's exact p-value.

    Arrays where many differences were asked for.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]


def paired_difference(broken: ArrayLike, fixed: ArrayLike, n: ArrayLike) -> PairedDifference:
    """Compare two models on n images, of which some were broken and some fixed.

    The interval is that of `lower_bound_of_drop`, both ways. The p-value is two-sided and exact: Q.
    McNemar, Psychometrika 12 (1947) 153-157. Without images nothing is known: NaN, (-1, 1) and 1.

    >>> [round(float(one), 3) for one in paired_difference(10, 30, 1000)]
    [0.02, 0.007, 0.035, 0.002]
    """
    lost, won, images = _counts(broken, fixed, n)
    with np.errstate(invalid="ignore"):
        difference = np.asarray((won - lost) / images)
    low = lower_bound_of_drop(won, lost, images, confidence=0.975)
    high = np.negative(lower_bound_of_drop(lost, won, images, confidence=0.975))
    return PairedDifference(difference, low, high, mcnemar_exact(lost, won))


def lower_bound_of_drop(
    broken: ArrayLike, fixed: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> NDArray[np.float64]:
    """Return what the accuracy has dropped by at least, on n images; negative where it may be none.

    All drops below it are rejected by the one-sided score test of T. Tango, Statistics in Medicine
    17 (1998) 891-908, with a continuity correction. With it the bound lies above zero exactly where
    McNemar's corrected test finds a drop: A. L. Edwards, Psychometrika 13 (1948) 185-187.

    >>> round(float(lower_bound_of_drop(30, 10, 1000)), 4)
    0.0089
    """
    lost, won, images = _counts(broken, fixed, n)
    low, high = np.full(lost.shape, -1.0), np.full(lost.shape, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rejected = _is_more(lost, won, images, drop=middle, confidence=confidence)
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return np.where(low <= np.nextafter(-1, 0), -1.0, low)


def least_drop_shown(
    changed: int, n: int, *, allowed: float = 0.0, confidence: float = 0.95
) -> float | None:
    """Return the smallest observed drop whose lower bound is more than what is allowed.

    It is that of n images of which as many changed as here, broken and fixed together. None if not
    even all of them broken would show such a drop.

    >>> least_drop_shown(40, 1000), least_drop_shown(3, 1000)
    (0.012, None)
    """
    broken = np.arange((changed + 1) // 2, changed + 1)
    fixed = changed - broken
    shown = lower_bound_of_drop(broken, fixed, n, confidence=confidence) > allowed
    if not shown.any():
        return None
    first = int(np.argmax(shown))
    return float((broken[first] - fixed[first]) / n)


def _is_more(
    lost: NDArray[np.float64],
    won: NDArray[np.float64],
    n: NDArray[np.float64],
    *,
    drop: NDArray[np.float64],
    confidence: float,
) -> NDArray[np.bool_]:
    """Tell whether more was lost than a true drop of this size explains."""
    # The likeliest share of fixed images where the drop is this one: a root of Tango's equation.
    half = (2 * n - lost + won) * drop - lost - won
    square = half**2 + 8 * n * won * drop * (1 - drop)
    fixed = (np.sqrt(np.maximum(square, 0)) - half) / (4 * np.maximum(n, 1))
    variance = n * (2 * fixed + drop * (1 - drop))
    beyond = lost - won - _CORRECTION - n * drop
    return np.asarray(beyond > ndtri(confidence) * np.sqrt(np.maximum(variance, 0)))


def _counts(
    broken: ArrayLike, fixed: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts as arrays of one shape."""
    lost, won, images = np.broadcast_arrays(
        *(np.asarray(one, np.float64) for one in (broken, fixed, n))
    )
    return lost, won, images

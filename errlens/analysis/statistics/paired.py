"""Two models on the same images: how much better or worse is one of them, and how surely?

Only images tell that one model has right and the other wrong: `broken` ones were right before and
are wrong now, `fixed` ones the other way round.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from errlens.analysis.statistics.intervals import TAIL95, agreeing_z, on_the_side_of
from errlens.analysis.statistics.significance import mcnemar_exact

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
    McNemar, Psychometrika 12 (1947) 153-157. The interval leaves out zero exactly where p < 0.05.
    Without images nothing is known: NaN, (-1, 1) and 1.

    >>> [round(float(one), 3) for one in paired_difference(10, 30, 1000)]
    [0.02, 0.007, 0.035, 0.002]
    """
    lost, won, images = _counts(broken, fixed, n)
    with np.errstate(invalid="ignore"):
        difference = np.asarray((won - lost) / images)
    low = _lower_bound(won, lost, images, level=TAIL95)
    high = np.negative(_lower_bound(lost, won, images, level=TAIL95))
    return PairedDifference(difference, low, high, mcnemar_exact(lost, won))


def lower_bound_of_drop(
    broken: ArrayLike, fixed: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> NDArray[np.float64]:
    """Return what the accuracy has dropped by at least, on n images; negative where it may be none.

    All drops below it are rejected by the one-sided score test of T. Tango, Statistics in Medicine
    17 (1998) 891-908, with a continuity correction; but a drop of zero by McNemar's exact test, so
    that the bound lies above zero exactly where that finds a drop.

    >>> round(float(lower_bound_of_drop(30, 10, 1000)), 4)
    0.0089
    """
    return _lower_bound(*_counts(broken, fixed, n), level=1 - confidence)


def chance_of_drop(broken: ArrayLike, fixed: ArrayLike) -> NDArray[np.float64]:
    """Return how likely at least so many broken images are by chance: McNemar's test, one-sided.

    >>> float(chance_of_drop(5, 0))  # 1 in 32
    0.03125
    """
    lost, won = np.asarray(broken, np.float64), np.asarray(fixed, np.float64)
    return np.asarray(bdtr(won, (lost + won).astype(np.int64), 0.5))


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


def _lower_bound(
    lost: NDArray[np.float64],
    won: NDArray[np.float64],
    n: NDArray[np.float64],
    *,
    level: float,
) -> NDArray[np.float64]:
    """Return a one-sided bound of `lost - won` of n."""
    tail = chance_of_drop(lost, won)
    z = agreeing_z(_score(lost, won, n, drop=np.zeros(lost.shape)), tail, level=level)
    low, high = np.full(lost.shape, -1.0), np.full(lost.shape, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rejected = _score(lost, won, n, drop=middle) > z
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    bound = np.where(low <= np.nextafter(-1, 0), -1.0, low)
    return on_the_side_of(tail, bound, level=level)


def _score(
    lost: NDArray[np.float64],
    won: NDArray[np.float64],
    n: NDArray[np.float64],
    *,
    drop: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how many deviations more was lost than a true drop of this size explains.

    Negative where it is not more.
    """
    # The likeliest share of fixed images where the drop is this one: a root of Tango's equation.
    half = (2 * n - lost + won) * drop - lost - won
    square = half**2 + 8 * n * won * drop * (1 - drop)
    fixed = (np.sqrt(np.maximum(square, 0)) - half) / (4 * np.maximum(n, 1))
    variance = n * (2 * fixed + drop * (1 - drop))
    beyond = lost - won - _CORRECTION - n * drop
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(beyond > 0, beyond / np.sqrt(np.maximum(variance, 0)), beyond)


def _counts(
    broken: ArrayLike, fixed: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts as arrays of one shape."""
    lost, won, images = np.broadcast_arrays(
        *(np.asarray(one, np.float64) for one in (broken, fixed, n))
    )
    return lost, won, images

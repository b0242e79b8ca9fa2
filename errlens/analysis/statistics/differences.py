"""By how much one model is better than another, with an interval and a test.

On the same images, only those tell that one model has right and the other wrong: `broken` ones were
right before and are wrong now, `fixed` ones the other way round. On different images, the hits of
two samples are compared.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr
from scipy.stats import fisher_exact

from errlens.analysis.statistics.intervals import TAIL95, agreeing_z, on_the_side_of
from errlens.analysis.statistics.significance import mcnemar_exact

_HALVINGS: Final = 60  # until an edge between -1 and 1 is as exact as a float
_CORRECTION: Final = 1  # half a step of broken - fixed, where as many images changed


class Difference(NamedTuple):
    """Accuracy now less accuracy before, its 95 % interval, and the p-value of an exact test.

    Arrays where many differences were asked for.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]


def difference_on_same_images(broken: ArrayLike, fixed: ArrayLike, n: ArrayLike) -> Difference:
    """Compare two models on n images, of which some were broken and some fixed.

    The interval is that of `lower_bound_of_drop`, both ways. The p-value is two-sided and exact: Q.
    McNemar, Psychometrika 12 (1947) 153-157. The interval leaves out zero exactly where p < 0.05.
    Without images nothing is known: NaN, (-1, 1) and 1.

    >>> [round(float(number), 3) for number in difference_on_same_images(10, 30, 1000)]
    [0.02, 0.007, 0.035, 0.002]
    """
    lost, won, images = _counts(broken, fixed, n)
    with np.errstate(invalid="ignore"):
        difference = np.asarray((won - lost) / images)
    low = _lower_bound(won, lost, images, level=TAIL95)
    high = np.negative(_lower_bound(lost, won, images, level=TAIL95))
    return Difference(difference, low, high, mcnemar_exact(lost, won))


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


class _Samples(NamedTuple):
    """Hits among images of an old and of a new sample, as arrays of one shape."""

    old: NDArray[np.float64]
    old_n: NDArray[np.float64]
    new: NDArray[np.float64]
    new_n: NDArray[np.float64]

    @property
    def exchanged(self) -> "_Samples":
        return _Samples(self.new, self.new_n, self.old, self.old_n)

    @property
    def step(self) -> NDArray[np.float64]:
        """The continuity correction of F. Yates, as a difference of proportions."""
        return np.asarray((1 / self.old_n + 1 / self.new_n) / 2)


def difference_between_samples(
    old_hits: ArrayLike, old_n: ArrayLike, new_hits: ArrayLike, new_n: ArrayLike
) -> Difference:
    """Return by how much a proportion is larger than another one, of other images.

    `p_value` is that of R. A. Fisher's exact test, two-sided, which holds however small the cells
    are. The interval holds all differences that the score test with a continuity correction does
    not reject: O. S. Miettinen, M. Nurminen, Statistics in Medicine 4 (1985) 213-226. It leaves out
    zero exactly where p < 0.05. Where one side has no images nothing is known: the difference is
    not a number, the interval (-1, 1), p is 1.

    >>> [round(float(number), 3) for number in difference_between_samples(48, 80, 56, 70)]
    [0.2, 0.04, 0.351, 0.013]
    """
    given = np.broadcast_arrays(
        *(np.asarray(counts, np.float64) for counts in (old_hits, old_n, new_hits, new_n))
    )
    samples = _Samples(*given)
    known = (samples.old_n > 0) & (samples.new_n > 0)
    difference, low, high, p_value = (
        np.full(known.shape, value) for value in (np.nan, -1.0, 1.0, 1.0)
    )
    if known.any():
        seen = _Samples(*(counts[known] for counts in samples))
        difference[known] = seen.new / seen.new_n - seen.old / seen.old_n
        p_value[known] = _fisher(seen)
        low[known] = _lower_bound_of_samples(seen, p_value[known])
        high[known] = -_lower_bound_of_samples(seen.exchanged, p_value[known])
    return Difference(difference, low, high, p_value)


def _lower_bound(
    lost: NDArray[np.float64], won: NDArray[np.float64], n: NDArray[np.float64], *, level: float
) -> NDArray[np.float64]:
    """Return a one-sided bound of `lost - won` of n."""
    return _lower_edge(
        lambda drop: _score_of_drop(lost, won, n, drop), chance_of_drop(lost, won), level=level
    )


def _score_of_drop(
    lost: NDArray[np.float64],
    won: NDArray[np.float64],
    n: NDArray[np.float64],
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
        *(np.asarray(count, np.float64) for count in (broken, fixed, n))
    )
    return lost, won, images


def _fisher(samples: _Samples) -> NDArray[np.float64]:
    """Return the p-values of Fisher's exact test; equal tables are looked at once."""
    tables, place = np.unique(np.stack(samples, axis=1), axis=0, return_inverse=True)
    values = [
        float(fisher_exact([[old, old_n - old], [new, new_n - new]]).pvalue)
        for old, old_n, new, new_n in tables.astype(np.int64).tolist()
    ]
    return np.array(values)[place.ravel()]


def _lower_bound_of_samples(samples: _Samples, p_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest difference that is not rejected, from -1 to 1."""
    score = _score_of_samples(samples, np.zeros(len(p_value)))
    tail = np.where(score > 0, p_value / 2, 1.0)
    return _lower_edge(lambda delta: _score_of_samples(samples, delta), tail, level=TAIL95)


def _score_of_samples(samples: _Samples, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many deviations more the difference is than a true one of `delta`.

    Negative where it is not more.
    """
    beyond = samples.new / samples.new_n - samples.old / samples.old_n - samples.step - delta
    new = _likeliest(samples, delta)
    old = np.clip(new - delta, 0, 1)
    variance = new * (1 - new) / samples.new_n + old * (1 - old) / samples.old_n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(beyond > 0, beyond / np.sqrt(variance), beyond)


def _likeliest(samples: _Samples, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the likeliest proportion of the new sample where the true difference is `delta`.

    A root of the cubic of C. P. Farrington, G. Manning, Statistics in Medicine 9 (1990) 1447-1454.
    """
    p, q = samples.new / samples.new_n, samples.old / samples.old_n
    theta = samples.old_n / samples.new_n
    a = 1 + theta
    b = -(1 + theta + p + theta * q + delta * (theta + 2))
    c = delta**2 + delta * (2 * p + theta + 1) + p + theta * q
    d = -p * delta * (1 + delta)
    v = b**3 / (27 * a**3) - b * c / (6 * a**2) + d / (2 * a)
    u = np.where(v < 0, -1, 1) * np.sqrt(np.maximum(b**2 / (9 * a**2) - c / (3 * a), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(u == 0, 0.0, v / u**3)
    angle = (np.pi + np.arccos(np.clip(ratio, -1, 1))) / 3
    root = 2 * u * np.cos(angle) - b / (3 * a)
    return np.asarray(np.clip(root, np.maximum(delta, 0), np.minimum(1 + delta, 1)))


def _lower_edge(
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    tail: NDArray[np.float64],
    *,
    level: float,
) -> NDArray[np.float64]:
    """Return the smallest differences that a score test does not reject, from -1 to 1.

    Args:
        score: Returns how many deviations more was observed than true differences explain.
        tail: The one-sided p-values of the exact test, which decides about zero.
        level: The one-sided level of the test.
    """
    z = agreeing_z(score(np.zeros(tail.shape)), tail, level=level)
    low, high = np.full(tail.shape, -1.0), np.full(tail.shape, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rejected = score(middle) > z
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    edge = np.where(low <= np.nextafter(-1, 0), -1.0, low)
    return on_the_side_of(tail, edge, level=level)

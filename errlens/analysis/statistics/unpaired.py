"""Two models on different images: is the one better, and by how much?"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact

from errlens.analysis.statistics.intervals import TAIL95, agreeing_z, on_the_side_of

_HALVINGS: Final = 60  # until an edge between -1 and 1 is as exact as a float


class UnpairedDifference(NamedTuple):
    """A proportion less another one, its 95 % interval, and how likely it is by chance.

    Arrays where many were asked for.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]


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


def unpaired_difference(
    old_hits: ArrayLike, old_n: ArrayLike, new_hits: ArrayLike, new_n: ArrayLike
) -> UnpairedDifference:
    """Return by how much a proportion is larger than another one, of other images.

    `p_value` is that of R. A. Fisher's exact test, two-sided, which holds however small the cells
    are. The interval holds all differences that the score test with a continuity correction does
    not reject: O. S. Miettinen, M. Nurminen, Statistics in Medicine 4 (1985) 213-226. It leaves out
    zero exactly where p < 0.05. Where one side has no images nothing is known: the difference is
    not a number, the interval (-1, 1), p is 1.

    >>> [round(float(one), 3) for one in unpaired_difference(48, 80, 56, 70)]
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
        told = _Samples(*(counts[known] for counts in samples))
        difference[known] = told.new / told.new_n - told.old / told.old_n
        p_value[known] = _fisher(told)
        low[known] = _lower_edge(told, p_value[known])
        high[known] = -_lower_edge(told.exchanged, p_value[known])
    return UnpairedDifference(difference, low, high, p_value)


def _fisher(samples: _Samples) -> NDArray[np.float64]:
    """Return the p-values of Fisher's exact test; equal tables are looked at once."""
    tables, place = np.unique(np.stack(samples, axis=1), axis=0, return_inverse=True)
    values = [
        float(fisher_exact([[old, old_n - old], [new, new_n - new]]).pvalue)
        for old, old_n, new, new_n in tables.astype(np.int64).tolist()
    ]
    return np.array(values)[place.ravel()]


def _lower_edge(samples: _Samples, p_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest difference that is not rejected, from -1 to 1."""
    score = _score(samples, np.zeros(len(p_value)))
    tail = np.where(score > 0, p_value / 2, 1.0)
    z = agreeing_z(score, tail, level=TAIL95)
    low, high = -np.ones(len(p_value)), np.ones(len(p_value))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rejected = _score(samples, middle) > z
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    edge = np.where(low <= np.nextafter(-1, 0), -1.0, low)
    return on_the_side_of(tail, edge, level=TAIL95)


def _score(samples: _Samples, delta: NDArray[np.float64]) -> NDArray[np.float64]:
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

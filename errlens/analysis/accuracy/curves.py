"""Two classes at every threshold: hits, misses and false alarms, and the curves they make."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Curve(NamedTuple):
    """What each threshold calls rightly and wrongly, from the strictest to the laxest.

    All arrays have shape (thresholds + 1,). The first entry is of a threshold that calls nothing;
    each distinct probability is a threshold, and images at it are called.
    """

    threshold: NDArray[np.float64]
    hits: NDArray[np.int64]
    false_alarms: NDArray[np.int64]

    @property
    def recall(self) -> NDArray[np.float64]:
        """The share of the class looked for that is called."""
        return np.asarray(self.hits / self.hits[-1], np.float64)

    @property
    def false_alarm_rate(self) -> NDArray[np.float64]:
        """The share of the other class that is called."""
        return np.asarray(self.false_alarms / self.false_alarms[-1], np.float64)

    @property
    def precision(self) -> NDArray[np.float64]:
        """The share of those called that is right; 1 where nothing is called."""
        called = self.hits + self.false_alarms
        return np.where(called > 0, self.hits / np.maximum(called, 1), 1.0)

    @property
    def auc(self) -> float:
        """The area under the ROC curve: how often an image of the class ranks above another one."""
        return float(np.trapezoid(self.recall, self.false_alarm_rate))

    @property
    def average_precision(self) -> float:
        """The mean precision, each weighted by the recall it adds."""
        return float((np.diff(self.recall) * self.precision[1:]).sum())

    def at_most(self, points: int) -> NDArray[np.int64]:
        """Return the places of at most so many points that draw both curves well."""
        length = self.recall + self.false_alarm_rate
        wanted = np.linspace(0, length[-1], points)
        return np.unique(np.minimum(np.searchsorted(length, wanted), len(length) - 1))


def curve(prob: NDArray[np.floating], is_one: NDArray[np.bool_]) -> Curve:
    """Return what every threshold does.

    Args:
        prob: The probability of the class that is looked for, shape (n,), without NaN.
        is_one: Whether an image is of that class, shape (n,); some are, and some are not.

    >>> found = curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> found.auc, round(found.average_precision, 4)
    (0.75, 0.8333)
    """
    order = np.argsort(-prob, kind="stable")
    ranked = prob[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of equal ones
    hits, false_alarms = (np.cumsum(which[order])[last] for which in (is_one, ~is_one))
    return Curve(
        np.concatenate([[np.inf], ranked[last]]).astype(np.float64),
        np.concatenate([[0], hits]).astype(np.int64),
        np.concatenate([[0], false_alarms]).astype(np.int64),
    )


def misses_and_false_alarms(
    prob: NDArray[np.floating], is_one: NDArray[np.bool_], thresholds: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many images of the class are below each threshold, and how many others are not.

    >>> given = np.array([0.2, 0.6, 0.7]), np.array([False, True, False])
    >>> [counts.tolist() for counts in misses_and_false_alarms(*given, np.array([0.0, 0.65]))]
    [[0, 1], [2, 1]]
    """
    ones, others = np.sort(prob[is_one]), np.sort(prob[~is_one])
    alarms = len(others) - np.searchsorted(others, thresholds, side="left")
    return np.searchsorted(ones, thresholds, side="left"), alarms

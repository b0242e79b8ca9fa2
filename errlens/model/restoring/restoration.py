"""Which of several settings brings a result back to what was expected, and is it more than luck?"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from errlens.analysis.statistics.intervals import wilson_interval

ALPHA_APART: Final = 0.01  # settings are told apart below this
ALPHA_BETTER: Final = 0.005  # of a setting against the one in use; some two dozen are tried
LEAST_SHARE: Final = 0.25  # of the gap, closed on images that were not used to choose

Hits = NDArray[np.bool_]


class TriedSetting(NamedTuple):
    """What to change, and the accuracy then on `n` images that were not used to choose it."""

    changes: Mapping[str, Any]
    accuracy: float
    n: int


class Restoration(NamedTuple):
    """What came of the search for settings that give the expected accuracy.

    `restoring` are settings that give the expected accuracy and cannot be told apart, best first;
    `nearest` is the best where there is none, if it is better than what was used.
    """

    expected: float
    tried: int
    n_sample: int
    n_fresh: int
    restoring: list[TriedSetting]
    nearest: TriedSetting | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        nearest = self.nearest._asdict() if self.nearest else None
        return {
            **self._asdict(),
            "restoring": [setting._asdict() for setting in self.restoring],
            "nearest": nearest,
        }


def sign_test(a: Hits, b: Hits) -> float:
    """Return the one-sided exact p-value that `a` is right more often than `b` on the same images.

    McNemar's test: only images that one of them has right count.

    >>> round(sign_test(np.array([1, 1, 1, 0], bool), np.array([0, 0, 0, 0], bool)), 3)
    0.125
    """
    wins, losses = int((a & ~b).sum()), int((b & ~a).sum())
    return float(binom.sf(wins - 1, wins + losses, 0.5)) if wins + losses else 1.0


def contenders(hits: Sequence[Hits]) -> list[int]:
    """Return which settings cannot be told apart from the one that is right most often.

    Args:
        hits: Whether each image is right, for each setting; best first in the result, a tie in
            the order given.
    """
    ranked = sorted(range(len(hits)), key=lambda place: -hits[place].mean())
    return [place for place in ranked if sign_test(hits[ranked[0]], hits[place]) >= ALPHA_APART]


def restores(used: Hits, tried: Hits, *, fresh: Hits, expected: float) -> bool:
    """Tell whether a setting that was tried gives the expected accuracy where the one used fails.

    It must close half of the gap on all images and a quarter on fresh ones, be better by a sign
    test, and its 95 % interval on fresh images must not lie below the expectation.

    Args:
        used: Whether each image is right with the setting in use.
        tried: The same with the setting tried.
        fresh: Which images were not used to choose the setting.
        expected: The accuracy expected.
    """
    gap = expected - used.mean()
    _, high = wilson_interval(tried[fresh].sum(), fresh.sum())
    return bool(
        gap > 0
        and tried.mean() - used.mean() >= gap / 2
        and tried[fresh].mean() - used[fresh].mean() >= LEAST_SHARE * gap
        and high >= expected
        and sign_test(tried, used) < ALPHA_BETTER
    )


def is_out_of_reach(hits: Hits, expected: float) -> bool:
    """Tell whether an accuracy lies clearly below the expectation, by more than the 95 % interval.

    The margin is doubled: what is given up here is not looked at again.
    """
    low, high = wilson_interval(hits.sum(), len(hits))
    return bool(hits.mean() + (high - low) < expected)

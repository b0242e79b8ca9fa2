"""The finding on two classes: misses and false alarms, at the threshold in use and at the best."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.finding import RUN, THESE, Finding, Gain
from errlens.analysis.findings.scored import Scored
from errlens.analysis.gates.limits import read_number
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames
from errlens.errors import UnfitOption, which_of
from errlens.escapes import shell_line
from errlens.formats import counted, of, probability, significant

FOLDS: Final = 5
LEAST_IMAGES: Final = 40  # fewer say nothing of a threshold


class Threshold(NamedTuple):
    """What a threshold on the probability of the class that is looked for would cost.

    `value` is the best for all images; misses and false alarms are counted on images that had no
    part in choosing it.
    """

    value: float
    misses: int
    false_alarms: int


def from_two_classes(images: Scored, costs: Mapping[str, float] | None = None) -> Iterator[Finding]:
    """Yield the finding of how often the rarer class is missed, and what a threshold would change.

    Args:
        images: The images that are right or wrong.
        costs: What an error on an image of a class costs, by its name; 1 where nothing is said.
    """
    if len(images.classes) != 2 or not images.n_errors:
        return
    positive = looked_for(images)
    is_one = images.label == positive
    misses, false_alarms = int((is_one & images.wrong).sum()), int((~is_one & images.wrong).sum())
    name, other = images.classes[positive], images.classes[1 - positive]
    n_ones = int(is_one.sum())
    rows = images.row[images.wrong]
    expected = n_ones * false_alarms / max(len(images) - n_ones, 1)  # at the other class's rate
    low, high = wilson_interval(len(rows), len(images))
    prices = ((costs or {}).get(name, 1.0), (costs or {}).get(other, 1.0))
    yield Finding(
        kind="threshold",
        statement=f"{name} is missed in {of(misses, n_ones)} images"
        f"{_and_false_alarms(false_alarms, len(images) - n_ones, other)}"
        f"{_better(images, positive, prices, (misses, false_alarms))}.",
        rows=tuple(rows.tolist()),
        n_errors=len(rows),
        excess_errors=max(0.0, misses - expected),
        gain=Gain(len(rows) / len(images), float(low), float(high)),
        evidence=f"costs {significant(prices[0])} for a miss, {significant(prices[1])} for a "
        "false alarm",
        command=("explain", RUN, "--select", THESE),
        subject={"class": name, "misses": misses, "false_alarms": false_alarms},
        selector="errors",
    )


def read_costs(texts: Sequence[str], classes: ClassNames) -> dict[str, float]:
    """Return what an error on an image of a class costs, of texts like `defect=10`.

    Raises:
        UnfitOption: One names no class, or its cost is no number above 0; or there are more than
            two classes, and no threshold between them.
    """
    if texts and len(classes) != 2:
        raise UnfitOption(
            f"--cost is for two classes, between which it moves the threshold; the run has "
            f"{counted(len(classes), 'class')}"
        )
    costs = {}
    for text in texts:
        name, _, cost = text.rpartition("=")
        index, value = classes.called(name), read_number(cost)
        if not name or value is None or value <= 0:
            raise UnfitOption(
                f"--cost {text!r} is not of the form CLASS=X with a number above 0",
                hint=f"like --cost {shell_line([f'{classes[0]}=10'])}",
            )
        if index is None:
            raise UnfitOption(
                f"--cost {text!r}: {name!r} names no class", hint=which_of(name, classes.names)
            )
        costs[classes[index]] = value
    return costs


def best_threshold(
    prob: NDArray[np.float64], is_one: NDArray[np.bool_], costs: tuple[float, float]
) -> Threshold:
    """Return the threshold of the least cost, and what it does on images held out.

    Args:
        prob: The probability of the class that is looked for, shape (n,).
        is_one: Whether an image is of that class, shape (n,).
        costs: Of a miss and of a false alarm.
    """
    fold = np.arange(len(prob)) % FOLDS
    called = np.empty(len(prob), bool)
    for held_out in range(FOLDS):
        train, test = fold != held_out, fold == held_out
        called[test] = prob[test] >= _cheapest(prob[train], is_one[train], costs)
    return Threshold(
        _cheapest(prob, is_one, costs),
        int((is_one & ~called).sum()),
        int((~is_one & called).sum()),
    )


def _cheapest(
    prob: NDArray[np.float64], is_one: NDArray[np.bool_], costs: tuple[float, float]
) -> float:
    """Return the threshold of the least cost: half-way between two images, the nearest to 0.5.

    >>> _cheapest(np.array([0.1, 0.2, 0.4]), np.array([False, True, True]), (1.0, 1.0)).__round__(2)
    0.15
    """
    order = np.argsort(prob, kind="stable")
    ones, values = is_one[order], prob[order]
    missed = np.concatenate([[0], np.cumsum(ones)])  # all below the threshold
    alarms = np.concatenate([[0], np.cumsum(~ones)])
    cost = costs[0] * missed + costs[1] * (alarms[-1] - alarms)
    above_all = max(1.0, np.nextafter(values[-1], 2))  # one may be sure: 1
    edges = np.concatenate([[0.0], (values[:-1] + values[1:]) / 2, [above_all]])
    possible = np.concatenate([[True], values[:-1] < values[1:], [True]])
    cost = np.where(possible, cost, np.inf)
    best = np.flatnonzero(cost == cost.min())
    return float(edges[best[np.argmin(np.abs(edges[best] - 0.5))]])


def _and_false_alarms(false_alarms: int, n: int, other: str) -> str:
    return f", and {of(false_alarms, n)} of {other} are false alarms" if n else ""


def _better(images: Scored, positive: int, costs: tuple[float, float], now: tuple[int, int]) -> str:
    """Say what the best threshold does, where it costs less on images held out."""
    known = ~np.isnan(images.confidence)
    if not known.all() or len(images) < LEAST_IMAGES:
        return ""
    prob = probability_of(images, positive)
    best = best_threshold(prob, images.label == positive, costs)
    if _cost((best.misses, best.false_alarms), costs) >= _cost(now, costs):
        return "; no other threshold does better"
    return (
        f"; called so from a probability of {probability(best.value)} on, "
        f"{counted(best.misses, 'miss')} and {counted(best.false_alarms, 'false alarm')}"
    )


def _cost(errors: tuple[int, int], costs: tuple[float, float]) -> float:
    return errors[0] * costs[0] + errors[1] * costs[1]


def looked_for(images: Scored) -> int:
    """Return the class that is looked for: the rarer one with images; the second of as many."""
    n = np.bincount(images.label, minlength=2)
    return 0 if 0 < n[0] < n[1] or not n[1] else 1


def probability_of(images: Scored, positive: int) -> NDArray[np.float64]:
    """Return the probability of one of two classes, shape (n,); NaN where it is not known."""
    return np.where(images.pred == positive, images.confidence, 1 - images.confidence)

"""Two classes: the curves over all thresholds, and what each threshold costs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.accuracy.curves import Curve, curve, misses_and_false_alarms
from errlens.analysis.findings.known.two_classes import (
    LEAST_IMAGES,
    best_threshold,
    looked_for,
    probability_of,
)
from errlens.analysis.findings.scored import Scored
from errlens.formats import count, number, of, probability, share, significant

STEPS: Final = 1_000  # of the slider
POINTS: Final = 300  # of a curve, more than anybody sees
_TABLE: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_IN_USE: Final = 0.5
SIDE: Final = 300.0  # of the square that a curve is drawn in


class Step(NamedTuple):
    """A threshold, and what it does, as it is written; `why` says what is special about it."""

    threshold: str
    why: str
    misses: str
    false_alarms: str
    precision: str
    cost: str


class TwoClasses(NamedTuple):
    """The curves of two classes: `positive` is the one that is looked for.

    `roc` and `precision_recall` are the points of polylines in a square of `SIDE`; `base` is the
    height there of the precision of calling everything. `slider` is what the script works with: at
    each of STEPS + 1 thresholds from 0 to 1 the misses and false alarms, and where the curves are.
    """

    positive: str
    other: str
    n_ones: int
    n_others: int
    auc: str
    average_precision: str
    base_rate: str
    roc: str
    precision_recall: str
    base: float
    prices: tuple[str, str]
    steps: Sequence[Step]
    slider: Mapping[str, Any]


def two_classes(images: Scored, costs: Mapping[str, float]) -> TwoClasses | None:
    """Return the section on two classes; None for more, or where probabilities are not known.

    Args:
        images: The images that are right or wrong.
        costs: What an error on an image of a class costs, by its name; 1 where nothing is said.
    """
    if len(images.classes) != 2 or not len(images):
        return None
    positive = looked_for(images)
    is_one = images.label == positive
    prob = probability_of(images, positive)
    n_ones, n_others = int(is_one.sum()), int((~is_one).sum())
    if not n_ones or not n_others or np.isnan(prob).any():
        return None
    name, other = images.classes[positive], images.classes[1 - positive]
    prices = (costs.get(name, 1.0), costs.get(other, 1.0))
    found = curve(prob, is_one)
    places = found.at_most(POINTS)
    base = n_ones / (n_ones + n_others)
    return TwoClasses(
        positive=name,
        other=other,
        n_ones=n_ones,
        n_others=n_others,
        auc=number(found.auc),
        average_precision=number(found.average_precision),
        base_rate=share(base),
        roc=_points(found.false_alarm_rate[places], found.recall[places]),
        precision_recall=_steps(found, places),
        base=round(SIDE * (1 - base), 2),
        prices=(significant(prices[0]), significant(prices[1])),
        steps=_told_steps(prob, is_one, prices),
        slider=_slider(prob, is_one, prices),
    )


def _points(across: NDArray[np.float64], up: NDArray[np.float64]) -> str:
    pairs = zip((SIDE * across).round(1).tolist(), (SIDE * (1 - up)).round(1).tolist(), strict=True)
    return " ".join(f"{x:g},{y:g}" for x, y in pairs)


def _steps(found: Curve, places: NDArray[np.int64]) -> str:
    """Return the precision at each recall as a staircase: between two points it is the later."""
    recall, precision = found.recall[places], found.precision[places]
    across = np.repeat(recall, 2)[:-1]
    up = np.repeat(precision, 2)[1:]
    return _points(across, up)


def _told_steps(
    prob: NDArray[np.float64], is_one: NDArray[np.bool_], prices: tuple[float, float]
) -> list[Step]:
    """Return the thresholds of the table, the one in use and the cheapest among them."""
    special = {_IN_USE: "in use"}
    if len(prob) >= LEAST_IMAGES:
        cheapest = best_threshold(prob, is_one, prices).value
        special[cheapest] = "in use, and the cheapest" if cheapest == _IN_USE else "the cheapest"
    thresholds = np.array(sorted({*_TABLE, *special}))
    misses, alarms = misses_and_false_alarms(prob, is_one, thresholds)
    n_ones, n_others = int(is_one.sum()), int((~is_one).sum())
    steps = []
    for value, missed, alarmed in zip(
        thresholds.tolist(), misses.tolist(), alarms.tolist(), strict=True
    ):
        called = n_ones - missed + alarmed
        steps.append(
            Step(
                threshold=probability(value),
                why=special.get(value, ""),
                misses=f"{of(missed, n_ones)} ({share(missed / n_ones)})",
                false_alarms=f"{of(alarmed, n_others)} ({share(alarmed / n_others)})",
                precision=share((n_ones - missed) / called) if called else share(None),
                cost=_cost(missed * prices[0] + alarmed * prices[1]),
            )
        )
    return steps


def _cost(value: float) -> str:
    return count(value) if float(value).is_integer() else significant(value)


def _slider(
    prob: NDArray[np.float64], is_one: NDArray[np.bool_], prices: tuple[float, float]
) -> dict[str, Any]:
    """Return the counts at each step, and the costs to begin with."""
    thresholds = np.arange(STEPS + 1) / STEPS
    misses, alarms = misses_and_false_alarms(prob, is_one, thresholds)
    return {
        "misses": misses.tolist(),
        "alarms": alarms.tolist(),
        "ones": int(is_one.sum()),
        "others": int((~is_one).sum()),
        "prices": list(prices),
        "texts": [probability(value) for value in thresholds.tolist()],
        "side": SIDE,
    }

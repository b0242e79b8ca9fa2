"""Metrics in words: which are good, which are not, and against what."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from errlens.analysis.accuracy.reference import prior_brier, prior_nll
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.formats import counted, number, points, share
from errlens.report.overview import Metric, Overview
from errlens.report.sections.calibration import Calibration

GOOD: Final = "good"
MIDDLING: Final = "middling"
POOR: Final = "poor"
USELESS: Final = "no use"

# Of the way from an answer that never looks at the image to a perfect one.
_GOOD_FROM: Final = 0.75
_MIDDLING_FROM: Final = 0.5
# What calibration would save of NLL.
_MUCH_SAVED: Final = 0.1
_FAR_SAVED: Final = 0.25
# ECE against what chance alone shows.
_WITHIN_NOISE: Final = 2.0
_LARGE_ECE: Final = 0.1
# Macro F1 below accuracy.
_BELOW: Final = 0.03
_FAR_BELOW: Final = 0.1
_UNEVEN: Final = 2.0  # times as many images

# Of names that not everybody knows.
_IN_FULL: Final = {
    "ECE": "expected calibration error",
    "NLL": "negative log-likelihood",
    "Brier": "squared error of the probabilities",
    "macro F1": "mean of all classes",
}
_FIRST: Final = ("top-1", "right superclass", "top-5", "macro F1", "ECE", "NLL")


class Judged(NamedTuple):
    """A metric as it is written, with a word for it and the reason.

    `level` is one of the words above, empty where there is nothing to hold it against. A share has
    its interval and its base, what an answer gets that never looks at the image.
    """

    metric: Metric
    level: str
    why: str
    base: float | None = None

    @property
    def in_full(self) -> str:
        """What the name of the metric stands for; empty where it says so itself."""
        return _IN_FULL.get(self.metric.name, "")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of images, with an interval."""
        return self.metric.low is not None


class Metrics(NamedTuple):
    """Those to be read first, and those on demand."""

    first: Sequence[Judged]
    others: Sequence[Judged]


def judged_metrics(
    overview: Overview, matrix: ConfusionMatrix, calibration: Calibration
) -> Metrics:
    """Say of each metric how good it is."""
    top1 = next((metric for metric in overview.shares if metric.name == "top-1"), None)
    found = [
        *_shares(overview.shares, matrix),
        *(_mean(metric, top1, matrix, calibration) for metric in overview.means),
    ]
    if all(judged.metric.name != "top-1" for judged in found):
        return Metrics([], found)
    first = [judged for name in _FIRST for judged in found if judged.metric.name == name]
    return Metrics(first, [judged for judged in found if judged not in first])


def _shares(shares: Sequence[Metric], matrix: ConfusionMatrix) -> Iterator[Judged]:
    n, names = matrix.n, matrix.classes.names
    whole = next((metric for metric in shares if metric.name == "top-1"), None)
    for metric in shares:
        if metric.name == "top-1":
            largest = int(n.argmax())
            base = float(n[largest] / n.sum())
            is_one = (n == n[largest]).sum() == 1
            answer = repr(names[largest]) if is_one else "the same class"
            always = f"answering {answer} each time" if len(names) > 1 else ""
            guess = f"; guessing gets {share(1 / len(names))}" if base > 1.01 / len(names) else ""
            yield _against(metric, base, always, guess)
        elif metric.name == "top-5":
            base = float(np.sort(n)[-5:].sum() / n.sum())
            yield _against(metric, base, "naming the five most frequent classes each time")
        elif metric.name == "right superclass":
            known = matrix.parents >= 0
            sums = np.bincount(matrix.parents[known], weights=n[known])
            base = float(sums.max() / sums.sum()) if sums.sum() else 0.0
            yield _against(metric, base, "answering the most frequent superclass each time")
        else:
            difference = points(metric.value - whole.value) if whole else ""
            yield Judged(metric, "", f"{difference} against all images" if difference else "")


def _against(metric: Metric, base: float, always: str, more: str = "") -> Judged:
    """Judge a share by how far it is from an answer without a look to a perfect one."""
    if not always or base >= 1:
        return Judged(metric, "", "")
    assert metric.low is not None  # noqa: S101
    gets = f"{always} gets {share(base)}{more}"
    if metric.low <= base:
        return Judged(metric, USELESS, f"Not shown to be better than chance: {gets}.", base)
    way = (metric.value - base) / (1 - base)
    level = GOOD if way >= _GOOD_FROM else MIDDLING if way >= _MIDDLING_FROM else POOR
    gets = f"{gets[0].upper()}{gets[1:]}"
    far = "this is perfect" if way == 1 else f"this is {share(way)} of the way from there to 100 %"
    why = f"{gets}; {far}."
    return Judged(metric, level, why, base)


def _mean(
    metric: Metric, top1: Metric | None, matrix: ConfusionMatrix, calibration: Calibration
) -> Judged:
    match metric.name:
        case "NLL":
            return _nll(metric, prior_nll(matrix.n), calibration)
        case "Brier":
            return _brier(metric, prior_brier(matrix.n))
        case "ECE":
            return _ece(metric, calibration)
        case "macro F1" if top1:
            return _macro_f1(metric, top1, matrix)
    why = (
        "Bins that hold equally many images, not equally wide ones."
        if "mass" in metric.name
        else ""
    )
    return Judged(metric, "", why)


def _nll(metric: Metric, prior: float, calibration: Calibration) -> Judged:
    knows = f"Knowing only how frequent each class is gives {number(prior)}"
    reach = calibration.nll
    reached = f"; calibrated, this model would have {number(reach)}" if reach is not None else ""
    if math.isinf(metric.value):
        return Judged(metric, USELESS, "Some labels were given no probability at all.")
    if metric.value >= prior:
        return Judged(metric, USELESS, f"Worse than no look at the image. {knows}{reached}.")
    saved = (metric.value - reach) / metric.value if reach is not None else None
    if saved is None:
        return Judged(metric, "", f"Lower is better. {knows}.")
    level = POOR if saved >= _FAR_SAVED else MIDDLING if saved >= _MUCH_SAVED else GOOD
    return Judged(metric, level, f"{knows}{reached}.")


def _brier(metric: Metric, prior: float) -> Judged:
    knows = f"Knowing only how frequent each class is gives {number(prior)}, perfection 0"
    if metric.value >= prior:
        return Judged(metric, USELESS, f"Worse than no look at the image. {knows}.")
    way = (prior - metric.value) / prior
    level = GOOD if way >= _GOOD_FROM else MIDDLING if way >= _MIDDLING_FROM else POOR
    return Judged(metric, level, f"{knows}.")


def _ece(metric: Metric, calibration: Calibration) -> Judged:
    chance = f"Honest confidences would show about {number(calibration.by_chance)} by chance"
    reach = calibration.ece
    reached = f"; with the best temperature it is {number(reach)}" if reach is not None else ""
    off = f"Confidence and accuracy are {points(metric.value).lstrip('+')} apart in the mean. "
    if metric.value <= _WITHIN_NOISE * calibration.by_chance:
        return Judged(metric, GOOD, f"{chance}, and this is not far from it.")
    level = POOR if metric.value >= _LARGE_ECE else MIDDLING
    return Judged(metric, level, f"{off}{chance}{reached}.")


def _macro_f1(metric: Metric, top1: Metric, matrix: ConfusionMatrix) -> Judged:
    """Judge how evenly the classes fare, which accuracy does not show where sizes are uneven."""
    known = matrix.n > 0
    n, right = matrix.n[known], matrix.counts.diagonal()[known]
    uneven, below = n.max() >= _UNEVEN * n.min(), top1.value - metric.value
    never = int((right == 0).sum())
    says = f" {counted(never, 'class')} {'has' if never == 1 else 'have'} no right image."
    says *= never > 0
    if below < _BELOW and not uneven:
        return Judged(metric, "", f"Classes are of like size, so it says what top-1 says.{says}")
    if below < _BELOW:
        return Judged(metric, GOOD, f"Close to top-1: rare and frequent classes fare alike.{says}")
    rare = n <= np.median(n)
    worse = uneven and (right / n)[rare].mean() < (right / n)[~rare].mean()
    who = "the rarer classes fare worse" if worse else "some classes fare far worse than others"
    why = f"All classes count the same here, and it is {number(below)} below top-1: {who}.{says}"
    return Judged(metric, POOR if below >= _FAR_BELOW else MIDDLING, why)

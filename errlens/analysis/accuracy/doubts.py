"""Signs in a result that the images may not be preprocessed as in training."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.accuracy.calibration import ReliabilityBin
from errlens.analysis.accuracy.metrics import Proportion
from errlens.errors import some
from errlens.formats import are, counted, share

LEAST_IMAGES: Final = 40  # fewer of them show nothing
# Of classes that are never predicted, more is no bad luck: of all classes with a few images, and
# of all images, in classes with so many that a working network sees some.
SHARE_OF_CLASSES: Final = 0.2
A_FEW: Final = 5
SHARE_OF_IMAGES: Final = 0.1
MANY: Final = 10
PROMISED: Final = 0.15  # by how much confidence exceeds even the upper end of the accuracy


class Doubt(NamedTuple):
    """Why a result may be worse than the network is; how good that is, only its training tells."""

    signs: list[str]


def falls_short(top1: Proportion, expected: float) -> bool:
    """Tell whether an accuracy is below the one expected, by more than chance.

    >>> falls_short(Proportion(0.5, 0.4, 0.6, 96), 0.65)
    True
    >>> falls_short(Proportion(0.5, 0.4, 0.6, 96), 0.55)
    False
    """
    return top1.high < expected


def doubt(
    top1: Proportion | None,
    reliability: Sequence[ReliabilityBin],
    classes: pd.DataFrame,
    *,
    expected: float | None = None,
) -> Doubt | None:
    """Look for signs; None where there is none, or where images are too few to tell.

    Nor is there a doubt about an accuracy that the user expects.

    Args:
        top1: The accuracy of a run.
        reliability: Its bins; none where it has no confidences.
        classes: Its table of classes, with class_name, n and precision.
        expected: The accuracy that the user expects, if that was said.
    """
    if top1 is None or top1.n < LEAST_IMAGES:
        return None
    if expected is not None and not falls_short(top1, expected):
        return None
    signs = _unseen(classes, top1.n)
    if top1.low <= 1 / len(classes):
        signs.append(f"top-1 is hardly above chance (1 in {len(classes)})")
    confidence = _mean_confidence(reliability)
    if confidence is not None and confidence - top1.high >= PROMISED:
        signs.append(
            f"top-1 is {share(top1.value)}, where the confidence promises {share(confidence)}"
        )
    return Doubt(signs) if signs else None


def _unseen(classes: pd.DataFrame, n: int) -> list[str]:
    """Say which classes are never predicted, where they are too many for bad luck."""
    known = classes[classes["n"] >= A_FEW]
    unseen = known[known["precision"].isna()]
    of_classes = len(unseen) / max(len(known), 1)
    of_images = unseen.loc[unseen["n"] >= MANY, "n"].sum() / n
    if of_classes < SHARE_OF_CLASSES and of_images < SHARE_OF_IMAGES:
        return []
    names = unseen["class_name"].tolist()
    return [
        f"{len(names)} of {counted(len(classes), 'class')} {are(len(names))} never predicted: "
        f"{some(names, most=3)}"
    ]


def _mean_confidence(bins: Sequence[ReliabilityBin]) -> float | None:
    """Return the mean confidence, None where there is none; an empty bin has none."""
    n = sum(each.n for each in bins)
    return sum(each.n * (each.confidence or 0) for each in bins) / n if n else None

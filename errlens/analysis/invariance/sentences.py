"""What the tables of invariance come to, in sentences."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.invariance.answers import Answers
from errlens.analysis.invariance.tables import identity, mean_of
from errlens.data.photos.transforms import TRANSFORM_OF, Transform
from errlens.formats import count, counted, of, probability, share_range

SURE: Final = 2.0  # standard errors that a mean is from zero


class Loss(NamedTuple):
    """The size, among those that ordinary photos have, at which a transform costs most.

    `lost` is by how much the probability falls, for each image; `before` and `after` are its means.
    `changed` is of how many images the prediction changes.
    """

    transform: Transform
    size: float
    lost: NDArray[np.float64]
    before: float
    after: float
    changed: int

    @property
    def mean(self) -> float:
        """By how much the probability falls on average."""
        return mean_of(self.lost)

    @property
    def is_sure(self) -> bool:
        """Whether it falls by more than chance among the images explains."""
        return above_chance(self.lost)


def natural_losses(answers: Answers, transforms: Sequence[Transform]) -> list[Loss]:
    """Return what each transform costs within what is natural, the one that costs most first."""
    losses = []
    for transform in transforms:
        start = identity(answers, transform)
        lost = answers.probability[:, [start]] - answers.probability
        among = [
            int(at)
            for at in answers.of(transform.name)
            if 0 < transform.strength(answers.steps[at].size) <= transform.natural
        ]
        at = max(among, key=lambda at: np.nan_to_num(mean_of(lost[:, at])))
        losses.append(
            Loss(
                transform,
                answers.steps[at].size,
                lost[:, at],
                mean_of(answers.probability[:, start]),
                mean_of(answers.probability[:, at]),
                int((answers.pred[:, at] != answers.pred[:, start]).sum()),
            )
        )
    return sorted(losses, key=lambda loss: -np.nan_to_num(loss.mean))


def in_words(answers: Answers, losses: Sequence[Loss], classes: pd.DataFrame) -> list[str]:
    """Say which transform hurts most within what is natural, and which class breaks first.

    Args:
        answers: Of the network.
        losses: As `natural_losses` has them.
        classes: As `class_table` has it.
    """
    said = [_hurts_most(answers, losses)]
    if answers.labelled:
        said.append(_breaks_first(classes))
    return said


def above_chance(values: NDArray[np.float64]) -> bool:
    """Tell whether a mean over images is more than two standard errors above zero.

    >>> above_chance(np.array([0.2, 0.3, 0.25])), above_chance(np.array([0.9, -0.5]))
    (True, False)
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return bool((known > 0).any())
    return bool(known.mean() > SURE * known.std(ddof=1) / np.sqrt(len(known)))


def _hurts_most(answers: Answers, losses: Sequence[Loss]) -> str:
    worst = losses[0]
    whose = "the true class" if answers.labelled else "the class predicted"
    if not worst.is_sure:
        return (
            "Within sizes that ordinary photos have, no transform lowers the probability of "
            f"{whose} by more than chance would."
        )
    text = (
        f"Within sizes that ordinary photos have, {worst.transform.words} hurts most: at "
        f"{worst.transform.written(worst.size)} the probability of {whose} is "
        f"{probability(worst.after)} instead of {probability(worst.before)}"
        f"{' on average' if len(answers) > 1 else ''}, and "
        f"{of(worst.changed, len(answers))} predictions change"
    )
    as_bad = [
        loss.transform.words for loss in losses[1:] if not above_chance(worst.lost - loss.lost)
    ]
    if len(answers) > 1 and as_bad:
        return f"{text}; {' and '.join(as_bad)} cannot be told from it."
    return f"{text}."


def _breaks_first(classes: pd.DataFrame) -> str:
    sure = classes[classes["sure"]]
    if not len(sure):
        broken = int(classes["breaks_at"].notna().sum())
        few = ": more images may tell (--limit N)" if broken else ""
        return f"No class loses half of its accuracy at any size for sure, by 95 % intervals{few}."
    first = sure.iloc[0]
    transform, n = TRANSFORM_OF[first["transform"]], int(first["n"])
    right, start = (round(first[name] * n) for name in ("accuracy_there", "accuracy"))
    sizes = "which ordinary photos have" if first["natural"] else "more than ordinary photos have"
    pairs = len(sure) - 1
    others = f"; {counted(pairs, 'further pair')} of class and transform for sure" if pairs else ""
    return (
        f"{first['class_name']} breaks first: {transform.words}, at "
        f"{transform.written(first['breaks_at'])}, {sizes}, {count(right)} of its "
        f"{counted(n, 'image')} {'is' if right == 1 else 'are'} right "
        f"(95 % interval {share_range(first['low'], first['high'])}), {count(start)} as they are"
        f"{others}."
    )

"""What a model says of changed images, held against their labels."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.asked import Asked
from errlens.analysis.findings.scored import Scored
from errlens.data.photos.changes import CHANGE_OF

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

LEAST: Final = 10  # errors repaired beyond what is expected
LEAST_OF_CLASS: Final = 6
LEAST_SHARE: Final = 0.05  # of all errors
LEAST_OF_FEW: Final = 4  # where that is half of all errors, or more
_ENOUGH_RIGHT: Final = 5  # images of a class, to know how sure the model is of them
_MOST_OF_THEM: Final = 0.6  # it is surer than of that share: of what is right by luck it seldom is


class Scope(NamedTuple):
    """Which images are held against what is expected: those of a class, or all of them."""

    label: int | None

    def least(self, n_errors: int) -> float:
        """Return how many errors of so many must be repaired beyond what is expected."""
        if self.label is not None:
            return LEAST_OF_CLASS
        return max(min(LEAST, max(LEAST_OF_FEW, n_errors / 2)), LEAST_SHARE * n_errors)


ALL: Final = Scope(None)


@dataclass(frozen=True)
class Answers:
    """What was asked, as arrays: m images and c changes.

    `label` int32 and `wrong` bool have shape (m,), `hit`, `surely`, `differs` (bool) and `rise`
    (the probability of the true class now, less before) shape (m, c), `before` and `pred` class
    indices without a change, (m,), and with each, (m, c). `n_wrong` and `n_right` are
    the images of each class in the run, shape (classes,).
    """

    changes: tuple[str, ...]
    label: NDArray[np.int32]
    wrong: Flags
    before: NDArray[np.int32]
    pred: NDArray[np.int32]
    hit: Flags
    surely: Flags
    differs: Flags
    label_prob: Numbers
    rise: Numbers
    n_wrong: Numbers
    n_right: Numbers

    @property
    def n(self) -> float:
        """How many images are scored in the run."""
        return float(self.n_wrong.sum() + self.n_right.sum())

    def within(self, scope: Scope) -> Flags:
        """Return which images are of a scope."""
        if scope.label is None:
            return np.ones(len(self.label), bool)
        return np.asarray(self.label == scope.label)

    def attracted(self, column: int, label: int) -> float:
        """Return the share of images of other classes that a change makes one of this class.

        Much of what is inverted, say, looks like one and the same class.
        """
        others = (self.label != label) & (self.before != label) & self.differs[:, column]
        return float((self.pred[others, column] == label).sum() / max(1, others.sum()))

    def unrelated(self, change: str) -> NDArray[np.intp]:
        """Return the places of the changes of other families that change any image."""
        family = CHANGE_OF[change].family
        others = [CHANGE_OF[name].family != family for name in self.changes]
        of_run = self.wrong if self.wrong.any() else ~self.wrong  # errors are asked all changes
        return np.flatnonzero(np.array(others, bool) & (self.differs[of_run].mean(axis=0) > 0.5))


def answers_of(scored: Scored, asked: Asked) -> Answers:
    """Hold the answers against the labels."""
    place = np.searchsorted(scored.row, asked.row)
    label, k = scored.label[place], len(scored.classes)
    label_prob = asked.label_prob.astype(float)
    hit = asked.pred == label[:, None]
    return Answers(
        changes=asked.changes,
        label=label,
        wrong=scored.wrong[place],
        before=scored.pred[place],
        pred=asked.pred,
        hit=hit,
        surely=hit & (label_prob >= _usual(scored)[label][:, None]),
        differs=asked.differs,
        label_prob=np.nan_to_num(label_prob),
        rise=np.nan_to_num(label_prob - scored.label_prob[place][:, None]),
        n_wrong=np.bincount(scored.label[scored.wrong], minlength=k).astype(float),
        n_right=np.bincount(scored.label[~scored.wrong], minlength=k).astype(float),
    )


def _usual(scored: Scored) -> Numbers:
    """Return, by class, a confidence above that of most images that the model has right.

    Of classes with a few only it is that of all.
    """
    right = ~scored.wrong
    of_all = np.quantile(scored.label_prob[right], _MOST_OF_THEM) if right.any() else 2
    usual = np.full(len(scored.classes), of_all)
    for index in np.flatnonzero(np.bincount(scored.label[right]) >= _ENOUGH_RIGHT):
        own = right & (scored.label == index)
        usual[index] = np.quantile(scored.label_prob[own], _MOST_OF_THEM)
    return usual

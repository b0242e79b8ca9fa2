"""What a model says of images that it was shown again, changed; and which images to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.scored import Scored
from errlens.data.stratified import stratified_rows


@dataclass(frozen=True)
class Asked:
    """What a model says of m images under each of c changes.

    `row` is int64 of shape (m,), in the order of the run. Of shape (m, c) are `pred`, int32 class
    indices, `NO_CLASS` where there is no answer; `label_prob`, float32, the probability of the true
    class, nan likewise; and `differs`, bool: whether the change made another input of the image.
    Where it did not, or was not tried, the answer is the one that the run has.

    `left_out` says of changes why they were not tried, `unread` of how many images there was no
    photo any more, `stopped` why errors were not asked about that should have been.
    """

    row: NDArray[np.int64]
    changes: tuple[str, ...]
    pred: NDArray[np.int32]
    label_prob: NDArray[np.float32]
    differs: NDArray[np.bool_]
    left_out: Mapping[str, str] = field(default_factory=dict)
    unread: int = 0
    stopped: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.row), len(self.changes))
        if any(each.shape != shape for each in (self.pred, self.label_prob, self.differs)):
            raise ValueError(f"{shape[0]} images and {shape[1]} changes need arrays of that shape")

    @classmethod
    def nothing(cls, reason: str = "", *, changes: tuple[str, ...] = ()) -> "Asked":
        """Return what is known where no image was asked about."""
        none = np.zeros((0, len(changes)))
        return cls(
            np.zeros(0, np.int64),
            changes,
            none.astype(np.int32),
            none.astype(np.float32),
            none.astype(bool),
            stopped=reason,
        )

    def joined(self, other: "Asked") -> "Asked":
        """Return what this and further questions about the same changes give together."""
        if self.changes != other.changes:
            raise ValueError("answers under other changes")
        row = np.union1d(self.row, other.row)
        both = [(np.searchsorted(row, each.row), each) for each in (self, other)]

        def laid(name: str) -> NDArray[Any]:
            values = np.zeros((len(row), len(self.changes)), getattr(self, name).dtype)
            for at, each in both:
                values[at] = getattr(each, name)
            for at, each in both:  # where one of them was asked, that is the answer
                values[at] = np.where(each.differs, getattr(each, name), values[at])
            return values

        return replace(
            self,
            row=row,
            pred=laid("pred"),
            label_prob=laid("label_prob"),
            differs=laid("differs"),
            unread=self.unread + other.unread,
            stopped=self.stopped or other.stopped,
        )


LEAST_RIGHT: Final = 40  # images, however few are wrong, to see what a change breaks


def to_ask(scored: Scored, *, top: int, seed: int) -> NDArray[np.intp]:
    """Choose images to ask about: up to `top` errors, as many right ones, and 40 at least.

    Where there are more errors than that, every class has its share of them: the worst ones alone
    would say nothing of the others. The right ones are of the same classes as often as there are
    enough of them. Whatever is asked first is a fair sample of all.

    Returns:
        Places in `scored`, those to be asked first before.
    """
    random = np.random.default_rng(seed)
    wrong = np.flatnonzero(scored.wrong)
    errors = wrong[stratified_rows(scored.label[wrong], top, seed=seed)]
    right = _matched(scored, errors, random)
    places = np.concatenate([random.permutation(errors), random.permutation(right)])
    n_errors, n_right = len(errors), len(right)
    turn = np.concatenate(
        [
            (np.arange(n_errors) + 0.5) / max(n_errors, 1),
            (np.arange(n_right) + 0.5) / max(n_right, 1),
        ]
    )
    return places[np.argsort(turn, kind="stable")]


def _matched(
    scored: Scored, errors: NDArray[np.intp], random: np.random.Generator
) -> NDArray[np.intp]:
    """Choose as many right images as errors; what a class is short of, others make up for."""
    right = random.permutation(np.flatnonzero(~scored.wrong))
    wanted = np.bincount(scored.label[errors], minlength=len(scored.classes))
    order = np.argsort(scored.label[right], kind="stable")
    sizes = np.bincount(scored.label[right], minlength=len(scored.classes))
    place = np.empty(len(right), int)  # of each among those of its class
    place[order] = np.arange(len(right)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    matched = place < wanted[scored.label[right]]
    n_right = max(LEAST_RIGHT, len(errors)) if len(errors) else 0
    others = right[~matched][: n_right - int(matched.sum())]
    return np.concatenate([right[matched], others])

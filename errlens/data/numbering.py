"""Labels and predictions that are numbers: do both number the first class alike?"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from errlens.choices import LabelKind
from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.errors import AmbiguousLabels, BadPredictions, UnfitOption, some
from errlens.formats import counted

# A shift explains the predictions where it matches so many of them and equality so few.
LEAST_MATCHED: Final = 0.6
MOST_EQUAL: Final = 0.2
LEAST_CLASSES: Final = 3  # two that are taken for one another are a confusion
ALPHA: Final = 0.01

MOST_CLASSES: Final = 1_000_000


class Numbering(NamedTuple):
    """What labels and predicted classes are, as far as the user says it.

    `kind` is that of both, and `labels_from` and `preds_from` the numbers of the first class.
    """

    kind: LabelKind | None = None
    labels_from: int | None = None
    preds_from: int | None = None

    @property
    def counts(self) -> bool:
        """Whether the user says where numbers start."""
        return self.labels_from is not None or self.preds_from is not None


def numbered_classes(
    labels: Iterable[str | None], preds: Iterable[str | None], numbering: Numbering
) -> ClassNames:
    """Return as many classes as numbers ask for, called as the labels number them.

    >>> numbered_classes(["1", "3"], ["0"], Numbering(labels_from=1)).names
    ('1', '2', '3')

    Raises:
        UnfitOption: One of them is no number.
        BadPredictions: One is too large to number a class.
    """
    start = numbering.labels_from or 0
    numbers = [*_numbers(labels, start), *_numbers(preds, numbering.preds_from or 0)]
    count = 1 + max(numbers, default=0)
    if count > MOST_CLASSES:
        raise BadPredictions(
            f"numbers up to {count - 1 + start} would make {count} classes",
            hint="are these indices of classes? --label-column and --pred-column name others",
        )
    return ClassNames(tuple(str(index + start) for index in range(count)), source="their numbers")


def _numbers(values: Iterable[str | None], first: int) -> list[int]:
    numbers = {value: as_number(value) for value in {*values} if value is not None}
    words = sorted(value for value, number in numbers.items() if number is None)
    if words:
        raise UnfitOption(f"--labels indices, but these are no numbers: {some(words)}")
    return [number - first for number in numbers.values() if number is not None]


def refuse_counting_from_one(
    labels: Collection[str],
    unknown: Sequence[str],
    classes: ClassNames,
    *,
    hint: str,
    what: str = "labels",
) -> None:
    """Raise an error where labels, or what else is given, seem to number the outputs from 1.

    Raises:
        AmbiguousLabels: There is a 1 and no 0, and the number of classes is the one label unknown.
    """
    numbers = {as_number(label) for label in labels}
    beyond = {as_number(label) for label in unknown}
    if beyond == {len(classes)} and 1 in numbers and 0 not in numbers:
        raise AmbiguousLabels(
            f"{what} seem to count from 1: there is no '0', and {unknown[0]!r} is beyond the "
            f"{counted(len(classes), 'output')}",
            hint=hint,
        )


class Shift(NamedTuple):
    """Labels that are the predictions plus `by`: of `n` images `matched` so, and `equal` as is."""

    by: int
    matched: int
    equal: int
    n: int

    def __str__(self) -> str:
        what = (
            "labels seem to count from 1 and predictions from 0"
            if self.by > 0
            else "predictions seem to count from 1 and labels from 0"
        )
        less = "more" if self.by > 0 else "less"
        return (
            f"{what}: of {self.n} labels {self.matched} are one {less} than the prediction, "
            f"{self.equal} are the same"
        )


def find_shift(label: NDArray[np.integer], pred: NDArray[np.integer]) -> Shift | None:
    """Find whether the labels are the predictions plus or less one, rather than the predictions.

    They are where the first and the last label are one more than the first and the last prediction
    and more images match so; or, whatever the range, where 60 % of the images do and 20 % at most
    are equal, in three classes at least (one-sided sign test, p < 0.01).

    Args:
        label: The number of each image's label, shape (n,).
        pred: The number that is predicted, shape (n,).

    >>> find_shift(np.array([1, 2, 3, 3]), np.array([0, 1, 2, 1])).matched
    3
    >>> find_shift(np.array([1, 2, 3, 3]), np.array([1, 2, 3, 1]))
    """
    if not len(label):
        return None
    ends = (label.min() - pred.min(), label.max() - pred.max())
    equal = int(np.count_nonzero(label == pred))
    for by in (1, -1):
        hits = label - pred == by
        matched = int(np.count_nonzero(hits))
        spans = ends == (by, by) and label.min() < label.max() and matched > equal
        explains = (
            matched >= LEAST_MATCHED * len(label)
            and equal <= MOST_EQUAL * len(label)
            and len(np.unique(label[hits])) >= LEAST_CLASSES
            and bdtrc(matched - 1, matched + equal, 0.5) < ALPHA
        )
        if spans or explains:
            return Shift(by, matched, equal, len(label))
    return None


def as_numbers(indices: NDArray[np.integer], classes: ClassNames) -> NDArray[np.int64]:
    """Return the numbers that classes are called by, or their indices where they have names.

    >>> as_numbers(np.array([0, 1]), ClassNames(("1", "2")))
    array([1, 2])
    """
    names = [as_number(name) for name in classes.names]
    numbers = np.arange(len(names)) if None in names else np.array(names)
    return np.asarray(numbers[indices], np.int64)

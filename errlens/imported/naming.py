"""Which classes the labels and the predictions of a table stand for.

Both are read against one list of classes: one that was given, else that of the columns of
probability, else what labels and predictions say together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.choices import LabelKind
from errlens.classes.names import NO_CLASS, ClassNames
from errlens.classes.spelling import as_number
from errlens.data.labels import kind_of_labels, match_labels, respelt
from errlens.data.numbering import (
    Numbering,
    as_numbers,
    find_shift,
    numbered_classes,
    refuse_counting_from_one,
)
from errlens.errors import (
    AmbiguousLabels,
    BadPredictions,
    UnknownLabels,
    did_you_mean,
    nearest,
    some,
)
from errlens.formats import counted
from errlens.imported.named_classes import NamedClasses, named_classes

Values = Sequence[str | None]


class Spelling(NamedTuple):
    """What was reconciled: `labels` and `preds` count values by how they and their class are spelt.

    `apart` and `as_one` are those of `NamedClasses`.
    """

    labels: Mapping[tuple[str, str], int]
    preds: Mapping[tuple[str, str], int]
    apart: Sequence[Sequence[str]]
    as_one: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Naming:
    """A list of classes, and how labels and predictions name them.

    `known` says that the list was there before the labels and predictions were looked at.
    """

    named: NamedClasses
    known: bool
    numbering: Numbering

    @property
    def classes(self) -> ClassNames:
        """The classes."""
        return self.named.classes

    def of_labels(
        self, labels: Values, *, allow_unknown: bool
    ) -> tuple[NDArray[np.int32], list[str]]:
        """Return the class index of each label, and the labels that are none of the classes.

        Raises:
            UnknownLabels: There are such labels, and `allow_unknown` is off.
            AmbiguousLabels: A label may mean several classes, or numbers seem to count from 1.
        """
        first, classes = self.numbering.labels_from, self.classes
        indices, unknown = class_indices(
            labels, classes, kind=self._kind_of_labels, first=first or 0
        )
        distinct = _distinct(labels)
        if first is None:
            refuse_counting_from_one(distinct, unknown, classes, hint="--labels-from 1")
        if unknown and not allow_unknown:
            raise UnknownLabels(
                unknown, classes.names, of=len(distinct), source=classes.source, model=False
            )
        return indices, unknown

    def of_predictions(self, preds: Values) -> NDArray[np.int32]:
        """Return the class index of each predicted class.

        Raises:
            BadPredictions: One is none of the classes.
            AmbiguousLabels: One may mean several, or numbers seem to count from 1.
        """
        first, classes = self.numbering.preds_from, self.classes
        indices, unknown = class_indices(preds, classes, kind=self._kind_of_preds, first=first or 0)
        if first is None:
            refuse_counting_from_one(
                _distinct(preds), unknown, classes, hint="--preds-from 1", what="predictions"
            )
        if unknown:
            raise BadPredictions(
                f"predicted classes that are none of the {counted(len(classes), 'class name')} "
                f"from {classes.source}: {some(unknown)}",
                hint=did_you_mean(nearest(unknown[0], classes.names), "pass --classes FILE"),
            )
        return indices

    def refuse_shift(
        self, labels: Values, preds: Values, label: NDArray[np.integer], pred: NDArray[np.integer]
    ) -> None:
        """Raise an error where labels or predictions are numbers that seem to count otherwise.

        Args:
            labels: The labels as they are written.
            preds: The predicted classes as they are written.
            label: The class indices of the labels.
            pred: Those of the predicted classes, or of the most probable ones.

        Raises:
            AmbiguousLabels: The labels seem to be the predictions plus or less one, and the user
                has not said where they start.
        """
        of_labels, of_preds = (_are_numbers(values) for values in (labels, preds))
        if self.numbering.counts or not (of_labels or of_preds):
            return
        both = (label != NO_CLASS) & (pred != NO_CLASS)
        shift = find_shift(*(as_numbers(indices[both], self.classes) for indices in (label, pred)))
        if shift is None:
            return
        # What is one more than the other starts one later, where it is a number.
        is_label = of_labels and (shift.by > 0 or not of_preds)
        option, values = ("--labels-from", labels) if is_label else ("--preds-from", preds)
        start = self._start_of(values)
        later = shift.by if is_label else -shift.by
        raise AmbiguousLabels(
            str(shift),
            hint=f"{option} {start + later}; or {option} {start} if they are right as they are",
        )

    def _start_of(self, values: Values) -> int:
        """Return the number that is read as the first class."""
        kind = kind_of_labels(_distinct(values), self.classes, kind=self.numbering.kind)
        return (as_number(self.classes[0]) or 0) if self.known and kind == "names" else 0

    def spelling(self, labels: Values, preds: Values) -> Spelling:
        """Return what labels and predictions spell otherwise than the classes."""
        return Spelling(
            self._respelt(labels, self._kind_of_labels),
            self._respelt(preds, self._kind_of_preds),
            self.named.apart,
            self.named.as_one,
        )

    def _respelt(self, values: Values, kind: LabelKind | None) -> dict[tuple[str, str], int]:
        are_names = kind_of_labels(_distinct(values), self.classes, kind=kind) == "names"
        return respelt(values, self.classes) if are_names else {}

    @property
    def _kind_of_labels(self) -> LabelKind | None:
        return "indices" if self._counts(self.numbering.labels_from) else self.numbering.kind

    @property
    def _kind_of_preds(self) -> LabelKind | None:
        return "indices" if self._counts(self.numbering.preds_from) else self.numbering.kind

    def _counts(self, first: int | None) -> bool:
        # Where no class has a name, the first number of one column makes numbers of both.
        return first is not None or (self.numbering.counts and not self.known)


def name_classes(
    labels: Values, preds: Values, *, known: ClassNames | None, numbering: Numbering
) -> Naming:
    """Return how the labels and the predictions of a table name classes, `known` or their own.

    Raises:
        BadPredictions: They say no class at all, or have none in common.
        UnfitOption: Words are to be numbers.
    """
    if known:
        named = NamedClasses(known, [], [])
    elif numbering.kind == "indices" or numbering.counts:
        named = NamedClasses(numbered_classes(labels, preds, numbering), [], [])
    else:
        named = named_classes(labels, preds)
    return Naming(named=named, known=known is not None, numbering=numbering)


def class_indices(
    values: Values, classes: ClassNames, *, kind: LabelKind | None = None, first: int = 0
) -> tuple[NDArray[np.int32], list[str]]:
    """Return the class each value stands for, and the values that stand for none, sorted.

    Values are names if all of them are names of classes, else integers are indices, counted from
    `first`; `kind` says otherwise. What is None, or stands for no class, gets `NO_CLASS`.

    >>> class_indices(["dog", None, "cow"], ClassNames(("cat", "dog")))
    (array([ 1, -1, -1], dtype=int32), ['cow'])
    >>> class_indices(["1", "0"], ClassNames(("cat", "dog")))
    (array([1, 0], dtype=int32), [])
    """
    distinct = sorted(_distinct(values))
    kind = kind_of_labels(distinct, classes, kind=kind)
    match = match_labels(distinct, classes, kind=kind, first=first)
    known = {value: index for value, index in match.items() if index is not None}
    unknown = [value for value in distinct if value not in known]
    indices = [NO_CLASS if value is None else known.get(value, NO_CLASS) for value in values]
    return np.array(indices, np.int32), unknown


def _are_numbers(values: Values) -> bool:
    distinct = _distinct(values)
    return bool(distinct) and all(as_number(value) is not None for value in distinct)


def _distinct(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}

"""The classes that the labels and the predictions of a table name, where no list was given.

A name may be spelt in two ways, one for the labels and one for the predictions; see `spelling`.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number, folded, holds_synset, synset_of, tidied
from errlens.errors import BadPredictions, some

SOURCE: Final = "the labels and predictions"
_FILLERS: Final = ("nan", "null", "none", "n/a", "na", "<na>", "nat", "#n/a", "?")
_MINUS_ONE: Final = re.compile(r"\s*-1(\.0*)?\s*")
_NEGATIVE: Final = re.compile(r" \d+(\.0*)?$")  # folded, where a minus is a gap


class Spellings(NamedTuple):
    """The ways in which the labels and the predictions spell one name, tidied.

    `is_synset` says that it is the name of an ImageNet class, which has several.
    """

    is_synset: bool
    labels: Counter[str]
    preds: Counter[str]

    @property
    def are_classes(self) -> bool:
        """Whether each spelling is a class of its own.

        It is where both columns have two of them. What one column alone tells apart was written
        carelessly, unless these are letters: `A` and `a`.
        """
        if self.is_synset:
            return False
        if all(len(name) == 1 for name in (*self.labels, *self.preds)):
            return max(len(self.labels), len(self.preds)) > 1
        return len(self.labels.keys() & self.preds.keys()) > 1

    @property
    def names(self) -> list[str]:
        """The classes: each spelling, or the one that predictions, else labels, use most."""
        if self.are_classes:
            return sorted({*self.labels, *self.preds})
        column = self.preds or self.labels
        return [min(column, key=lambda name: (-column[name], name))]


class NamedClasses(NamedTuple):
    """The classes, and the spellings that one column has several of.

    `apart` are classes that differ in nothing but spelling, `as_one` spellings taken for one class.
    """

    classes: ClassNames
    apart: list[list[str]]
    as_one: list[list[str]]


def named_classes(labels: Iterable[str | None], preds: Iterable[str | None]) -> NamedClasses:
    """Return the classes of a table, sorted; numbers by their value.

    Args:
        labels: The label of each row, None where it has none.
        preds: Likewise the predicted classes.

    Raises:
        BadPredictions: Labels and predictions have no class in common, or there is none at all.

    >>> named_classes(["Cat", "dog"], ["cat", "dog"]).classes.names
    ('cat', 'dog')
    """
    by_name = _by_name(labels, preds)
    if not by_name:
        raise BadPredictions("the table holds neither a label nor a predicted class")
    spellings = by_name.values()
    predicted = [
        name for spelt in spellings if spelt.preds or spelt.are_classes for name in spelt.names
    ]
    names = predicted + _not_among(
        predicted, [name for spelt in spellings if not spelt.preds for name in spelt.names]
    )
    _refuse_fillers(by_name)
    _refuse_strangers(
        {name for spelt in spellings for name in spelt.labels},
        {name for spelt in spellings for name in spelt.preds},
    )
    several = [spelt for spelt in spellings if len(spelt.labels) > 1 or len(spelt.preds) > 1]
    return NamedClasses(
        ClassNames(tuple(sorted(names, key=by_value)), source=SOURCE),
        [spelt.names for spelt in several if spelt.are_classes],
        [sorted({*spelt.labels, *spelt.preds}) for spelt in several if not spelt.are_classes],
    )


def no_labels(
    labels: Iterable[str | None], *, named: Iterable[str], columns: Iterable[str]
) -> list[str]:
    """Return the labels that stand for none, sorted: `nan` and the like, and -1 among numbers.

    What a prediction, a list of classes or a column is called is a class, and no such label.

    Args:
        labels: The label of each row.
        named: The predicted classes, and those that are given.
        columns: The columns of the table, of which some may hold the probability of a class.

    >>> no_labels(["0", "-1", "2", "?"], named=["0", "1", "2"], columns=["path"])
    ['-1', '?']
    >>> no_labels(["none", "flu"], named=["none", "flu"], columns=["path"])
    []
    """
    distinct = {label for label in labels if label is not None}
    found = {label for label in distinct if folded(label) in _FILLERS}
    minus_one = {label for label in distinct if _MINUS_ONE.fullmatch(label)}
    if all(as_number(label) is not None for label in distinct - found - minus_one):
        found |= minus_one
    classes = {tidied(name).casefold() for name in named}
    ends = tuple(tidied(name).casefold() for name in columns)
    return sorted(
        label
        for label in found
        if (name := tidied(label).casefold()) not in classes
        and not any(end.endswith(name) for end in ends)
    )


def _by_name(labels: Iterable[str | None], preds: Iterable[str | None]) -> dict[str, Spellings]:
    """Return the spellings of each name; lemmas go with their synset where its id is there too."""
    columns = [Counter(name for name in column if name is not None) for column in (labels, preds)]
    synsets = {synset_of(name) for column in columns for name in column if holds_synset(name)}
    spellings: dict[str, Spellings] = {}
    for place, column in zip(("labels", "preds"), columns, strict=True):
        for name, count in column.items():
            synset = synset_of(name) if synsets else None
            key = synset if synset and synset in synsets else folded(name)
            new = Spellings(key in synsets, Counter(), Counter())
            getattr(spellings.setdefault(key, new), place)[tidied(name)] += count
    return spellings


def _not_among(predicted: Collection[str], labels: Collection[str]) -> list[str]:
    """Return the labels that are no other name of a predicted class."""
    if not predicted:
        return list(labels)
    known = ClassNames(tuple(predicted))
    return known.unknown(labels)


def _refuse_fillers(by_name: Mapping[str, Spellings]) -> None:
    """Raise an error where what programs write for nothing is in one of the columns only.

    That is `nan` and the like, or one number below zero among others.
    """
    numbers = all(as_number(name) is not None or _NEGATIVE.match(name) for name in by_name)
    negative = [name for name in by_name if numbers and _NEGATIVE.match(name)]
    fillers = [name for name in by_name if name in _FILLERS] + negative * (len(negative) == 1)
    for name in fillers:
        labels, preds = by_name[name].labels, by_name[name].preds
        if bool(labels) != bool(preds):
            count = labels or preds
            kind, other = ("labels", "prediction") if labels else ("predictions", "label")
            raise BadPredictions(
                f"{count.total()} {kind} are {next(iter(count))!r}, which is no {other}",
                hint="where that stands for nothing, leave the cell empty; where it is a class, "
                "pass --classes FILE with the names of all",
            )


def _refuse_strangers(labels: Collection[str], preds: Collection[str]) -> None:
    """Raise an error where no label is a predicted class."""
    if not labels or not preds:
        return
    predicted = ClassNames(tuple(sorted(preds)))
    if len(predicted.unknown(labels)) < len({*labels}):
        return
    raise BadPredictions(
        f"labels and predictions do not name the same classes: {len(labels)} as labels "
        f"({some(sorted(labels, key=by_value))}), {len(preds)} as predictions "
        f"({some(sorted(preds, key=by_value))}), and none in common",
        hint=_way_out(labels, preds),
    )


def _way_out(labels: Collection[str], preds: Collection[str]) -> str:
    """Say what helps where labels and predictions have no name in common."""
    are_numbers = [
        all(as_number(name) is not None for name in column) for column in (labels, preds)
    ]
    if all(are_numbers):
        return (
            "where these are numbers of outputs: --labels indices, with --labels-from 1 or "
            "--preds-from 1 where one of them counts from 1"
        )
    if any(are_numbers):
        return "pass --classes FILE with the class names in output order, which the numbers count"
    return (
        "call a class alike in both columns; where all predictions are wrong indeed, pass "
        "--classes FILE with the names of all classes"
    )


def by_value(name: str) -> tuple[bool, int, str]:
    """Return the key that sorts numbers by their value, before other names.

    >>> sorted(["10", "b", "9"], key=by_value)
    ['9', '10', 'b']
    """
    number = as_number(name)
    return number is None, number or 0, name

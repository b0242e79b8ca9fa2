"""Classes made of other classes: some become one, others go."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.accuracy.choosing import chosen_classes
from errlens.analysis.selection.parsing import parse_pair
from errlens.analysis.selection.readings import joined_readings
from errlens.classes.names import NO_CLASS, ClassNames, Superclasses
from errlens.errors import UnfitOption, shortened, some, which_of


@dataclass(frozen=True)
class Regrouping:
    """Classes made of other classes.

    `of_class` holds, for each class of the run, an index into `classes`, `NO_CLASS` where it was
    dropped.
    """

    classes: ClassNames
    superclasses: Superclasses | None
    of_class: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Of how many classes of the run each class consists."""
        return np.bincount(self.of_class[self.of_class != NO_CLASS], minlength=len(self.classes))


def regroup(
    classes: ClassNames,
    superclasses: Superclasses | None = None,
    *,
    merge: Sequence[str] = (),
    drop: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Regrouping:
    """Return the classes that are left when some become one and others go.

    A merged class stands where its first one stood, and keeps a superclass that all its classes
    share.

    Args:
        classes: The classes of the run.
        superclasses: Their superclasses, if any.
        merge: Names joined by plus signs, which names may hold too where that leaves one reading;
            or a pair as confusion prints it, `A ~ B`.
        drop: Names, or paths of lists of them.
        only: Likewise, of the classes that are left; by default all are.

    Raises:
        UnfitOption: A name is no class, a class is named twice, or fewer than two are left.
        MissingInput, BadClassFile, AmbiguousLabels: A list is not there, or not one of classes.

    >>> names = ClassNames(("cat", "dog", "fox", "cow"))
    >>> regroup(names, merge=["cat+fox"], drop=["cow"]).classes.names
    ('cat+fox', 'dog')
    """
    merged = [_merged_classes(text, classes) for text in merge]
    dropped = chosen_classes(drop, classes, option="--drop")
    if only:
        left = {*chosen_classes(only, classes, option="--only")}
        _refuse_absent(merged, left, classes)
        dropped = sorted({*dropped, *range(len(classes))} - (left - {*dropped}))
    named = Counter([index for group in (*merged, dropped) for index in group])
    if twice := [classes[index] for index, times in named.items() if times > 1]:
        raise UnfitOption(
            f"{some(twice)} would go to several places",
            hint="name each class once; --merge A+B+C makes one class of three",
        )
    first = {index: min(group) for group in merged for index in group}
    gone = {*dropped}
    kept = [index for index in range(len(classes)) if index not in gone]
    heads = sorted({first.get(index, index) for index in kept})
    if len(heads) < 2:
        raise UnfitOption("fewer than two classes would be left: nothing could be mistaken")
    place = {head: number for number, head in enumerate(heads)}
    of_class = np.full(len(classes), NO_CLASS, np.int64)
    of_class[kept] = [place[first.get(index, index)] for index in kept]
    members: list[list[int]] = [[] for _ in heads]
    for index in kept:
        members[of_class[index]].append(index)
    return Regrouping(
        ClassNames(_names_of(members, classes), source="the run"),
        superclasses and _shared_superclasses(members, superclasses),
        of_class,
    )


def _merged_classes(text: str, classes: ClassNames) -> list[int]:
    """Return the classes whose names a text joins by plus signs."""

    def meant(word: str) -> Iterable[int]:
        index = classes.called(word)
        return () if index is None else (index,)

    longest = 1 + classes.most_pluses
    spaced = "+".join(piece.strip() for piece in text.split("+"))
    for spelling in dict.fromkeys((text, spaced)):
        # A few will do: two that differ are refused.
        ways = joined_readings(spelling, meant, reach=lambda _: longest)
        several = islice((way for way in ways if len(way) > 1), 100)
        readings = {frozenset(way): way for way in several if len(set(way)) == len(way)}
        if len(readings) > 1:
            shown = "; or ".join(
                " and ".join(repr(classes[index]) for index in way) for way in readings.values()
            )
            raise UnfitOption(f"--merge {shortened(text)!r} may mean several things: {shown}")
        if readings:
            return list(next(iter(readings.values())))
    if "~" in text and "+" not in text:  # a pair as it is printed
        return list(parse_pair(text, classes))
    words = [piece.strip() for piece in text.split("+")]
    if len(words) < 2 or classes.called(text) is not None:
        raise UnfitOption(
            f"--merge {shortened(text)!r} names one class", hint="join two by a +, as in A+B"
        )
    if unknown := [word for word in words if classes.called(word) is None]:
        raise UnfitOption(
            f"--merge {shortened(text)!r}: {unknown[0]!r} names no class of the run",
            hint=which_of(unknown[0], classes.names),
        )
    raise UnfitOption(f"--merge {shortened(text)!r} names a class twice")


def _refuse_absent(
    merged: Sequence[Sequence[int]], left: Collection[int], classes: ClassNames
) -> None:
    """Raise an error where a class is to be merged that is not among those left."""
    absent = [classes[index] for group in merged for index in group if index not in left]
    if absent:
        raise UnfitOption(
            f"--merge names {some(absent)}, not among the classes of --only",
            hint="name it in both, or in neither",
        )


def _names_of(members: Sequence[Sequence[int]], classes: ClassNames) -> tuple[str, ...]:
    """Return the names of groups; one that is a class's already is told apart."""
    taken = {classes[group[0]] for group in members if len(group) == 1}
    names: list[str] = []
    for group in members:
        name = "+".join(classes[index] for index in group)
        while len(group) > 1 and name in taken:
            name += " (merged)"
        taken.add(name)
        names.append(name)
    return tuple(names)


def _shared_superclasses(
    members: Sequence[Sequence[int]], superclasses: Superclasses
) -> Superclasses:
    parents = [{superclasses.of_class[index] for index in group} for group in members]
    shared = tuple(parent.copy().pop() if len(parent) == 1 else None for parent in parents)
    return Superclasses(superclasses.names, shared)

"""Classes made of other classes: some become one, others go."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

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
) -> Regrouping:
    """Return the classes that are left when some become one and others go.

    A merged class stands where its first one stood, and keeps a superclass that all its classes
    share.

    Args:
        classes: The classes of the run.
        superclasses: Their superclasses, if any.
        merge: Names joined by plus signs, which names may hold too where that leaves one reading.
        drop: Names.

    Raises:
        UnfitOption: A name is no class, a class is named twice, or fewer than two are left.

    >>> names = ClassNames(("cat", "dog", "fox", "cow"))
    >>> regroup(names, merge=["cat+fox"], drop=["cow"]).classes.names
    ('cat+fox', 'dog')
    """
    merged = [_merged_classes(text, classes) for text in merge]
    dropped = sorted({_class_called(name, classes, option="--drop") for name in drop})
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
        index = classes.index(word)
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
    words = [piece.strip() for piece in text.split("+")]
    if len(words) < 2 or classes.index(text) is not None:
        raise UnfitOption(
            f"--merge {shortened(text)!r} names one class", hint="join two by a +, as in A+B"
        )
    for word in words:
        _class_called(word, classes, option="--merge", of=shortened(text))
    raise UnfitOption(f"--merge {shortened(text)!r} names a class twice")


def _class_called(name: str, classes: ClassNames, *, option: str, of: str = "") -> int:
    index = classes.index(name)
    if index is None:
        where = f"{option} {of!r}" if of else option
        raise UnfitOption(
            f"{where}: {name!r} names no class of the run",
            hint=which_of(name, classes.names),
        )
    return index


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

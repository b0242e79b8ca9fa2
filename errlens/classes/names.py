"""Class names in output order: the only place where index and name are exchanged."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.classes.imagenet import class_names_of_synsets
from errlens.classes.spelling import folded, other_names, tidied
from errlens.errors import BadClassFile, some, which_of

_CUT: Final = ("\u2026", "...")  # stand for the middle of a name that was left out
NO_CLASS: Final = -1  # in place of the index of a class, or of a superclass, where there is none

OUTPUT_NUMBERS: Final = "the output numbers"  # the source of classes without other names


@dataclass(frozen=True)
class ClassNames:
    """The names of a model's outputs, first output first.

    `aliases` holds other names that data may use, such as an ImageNet synset id, each with the
    classes it may mean. `source` says where the names come from, for messages.

    Data may spell a name otherwise where that leaves one reading: see `spelling`. What is nearest
    to a name decides: the name itself, then the same but for blanks and accents, then but for case,
    blank, `_` and `-`, then another name of the same class, such as the synset id of a lemma.

    >>> classes = ClassNames(("grey cat", "tabby"), aliases={"n02084071": (1,), "animal": (0, 1)})
    >>> [classes.index(label) for label in ("tabby ", "Grey_Cat", "n02123045", "cow", "animal")]
    [1, 0, 1, None, None]
    """

    names: tuple[str, ...]
    aliases: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    source: str = "the list"

    def __post_init__(self) -> None:
        repeated = [name for name, count in Counter(self.names).items() if count > 1]
        if repeated:
            raise BadClassFile(
                f"class names must be unique, but {self.source} repeats {some(repeated)}"
            )
        if not self.names:
            raise BadClassFile(f"{self.source} names no class")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> str:
        return self.names[index]

    def index(self, label: str) -> int | None:
        """Return the output a label stands for, or None if it names no class or several."""
        meant = self.meant(label)
        return meant[0] if len(meant) == 1 else None

    def called(self, name: str) -> int | None:
        """Return the output that a person means: as `index`, or by a name as a table prints it.

        Where a table has no room for a name, it leaves its middle out.

        >>> ClassNames(("Staffordshire bull terrier", "pug")).called("Staff\u2026terrier")
        0
        """
        index = self.index(name)
        cut = next((mark for mark in _CUT if mark in name), None)
        if index is not None or cut is None:
            return index
        start, _, end = name.strip().partition(cut)
        meant = [
            place
            for place, whole in enumerate(self.names)
            if whole.startswith(start) and whole.endswith(end) and len(start + end) < len(whole)
        ]
        return meant[0] if start + end and len(meant) == 1 else None

    def indices(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Return the output of each name, spelt exactly as here, `NO_CLASS` where it has none.

        >>> ClassNames(("cat", "dog")).indices(["dog", "Cat", "cat"]).tolist()
        [1, -1, 0]
        """
        return np.array([self._places.get(name, NO_CLASS) for name in names], np.int64)

    def meant(self, label: str) -> tuple[int, ...]:
        """Return the outputs a label may stand for, by the nearest spelling that there is."""
        return self.spelt(label) or self._called_otherwise(label)

    def spelt(self, label: str) -> tuple[int, ...]:
        """Return the outputs whose name a label spells, in whatever way; no other name of them."""
        return (
            self._exact.get(label)
            or self._tidied.get(tidied(label))
            or self._folded.get(folded(label), ())
        )

    def among(self, indices: Iterable[int], *, source: str) -> "ClassNames":
        """Return some of the classes, in the order given.

        >>> ClassNames(("cat", "dog", "emu")).among([0, 2], source="the data").names
        ('cat', 'emu')
        """
        return ClassNames(tuple(self.names[index] for index in indices), source=source)

    @cached_property
    def most_pluses(self) -> int:
        """How many plus signs a name holds at most: what joins names may be part of one.

        >>> ClassNames(("a+b+c", "d")).most_pluses
        2
        """
        return max(name.count("+") for name in (*self._exact, *self._folded))

    def spelling_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return how this list spells the names of another one; what it lacks stays as it is.

        So does a name where several would become the same.

        >>> ClassNames(("grey cat", "dog")).spelling_of(["Grey_Cat", "emu", "dog"])
        {'Grey_Cat': 'grey cat', 'emu': 'emu', 'dog': 'dog'}
        """
        places = {name: self.index(name) for name in names}
        times = Counter(places.values())
        return {
            name: name if at is None or times[at] > 1 else self.names[at]
            for name, at in places.items()
        }

    def unknown(self, labels: Iterable[str]) -> list[str]:
        """Return the labels that name no class, sorted."""
        return sorted(label for label in set(labels) if not self.meant(label))

    def ambiguous(self, labels: Iterable[str]) -> dict[str, list[str]]:
        """Return the labels that may name several classes, with their names."""
        meant = {label: self.meant(label) for label in sorted(set(labels))}
        return {
            label: [self.names[index] for index in indices]
            for label, indices in meant.items()
            if len(indices) > 1
        }

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def _exact(self) -> dict[str, tuple[int, ...]]:
        return {**self.aliases, **{name: (index,) for name, index in self._places.items()}}

    @cached_property
    def _tidied(self) -> dict[str, tuple[int, ...]]:
        return _joined((tidied(name), indices) for name, indices in self._exact.items())

    @cached_property
    def _folded(self) -> dict[str, tuple[int, ...]]:
        return _joined((folded(name), indices) for name, indices in self._exact.items())

    @cached_property
    def _other(self) -> dict[str, tuple[int, ...]]:
        return _joined(
            (other, (index,))
            for index, name in enumerate(self.names)
            for other in other_names(name)
        )

    def _called_otherwise(self, label: str) -> tuple[int, ...]:
        """Return the outputs of which a label is another name, or with another name in common."""
        for name in (folded(label), *other_names(label)):
            if meant := self._folded.get(name) or self._other.get(name):
                return meant
        # Some classes of ImageNet have the lemma of another one, or its name but for case.
        place = self._places.get(class_names_of_synsets().get(folded(label), ""))
        return () if place is None else (place,)


@dataclass(frozen=True)
class Superclasses:
    """Which superclass each class belongs to; classes may have none.

    `names` are sorted; `of_class` holds, for each output, an index into them or None.
    """

    names: tuple[str, ...]
    of_class: tuple[int | None, ...]

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, str], classes: ClassNames, *, source: str
    ) -> "Superclasses":
        """Give each class the superclass that the mapping has for it.

        Raises:
            BadClassFile: The mapping names a class the model does not have, or names none.
        """
        invented = classes.unknown(mapping)
        if invented:
            raise BadClassFile(
                f"{source} gives a superclass to {some(invented)}, no class of the model",
                hint=which_of(invented[0], classes.names),
            )
        if ambiguous := classes.ambiguous(mapping):
            label, meant = next(iter(ambiguous.items()))
            raise BadClassFile(f"{source}: {label!r} may be any of {some(meant)}")
        if not mapping:
            raise BadClassFile(f"{source} gives no class a superclass")
        names = tuple(sorted(set(mapping.values())))
        by_index = {classes.index(name): names.index(parent) for name, parent in mapping.items()}
        return cls(names, tuple(by_index.get(index) for index in range(len(classes))))

    def name_of(self, class_index: int) -> str | None:
        """Return the name of a class's superclass, or None if it has none."""
        parent = self.of_class[class_index]
        return None if parent is None else self.names[parent]

    def among(self, indices: Iterable[int]) -> "Superclasses | None":
        """Return those of some of the classes, in the order given; None where these have none.

        >>> pets = Superclasses(("bird", "cat"), (1, None, 0))
        >>> pets.among([0, 1]), pets.among([1])
        (Superclasses(names=('cat',), of_class=(0, None)), None)
        """
        parents = [self.name_of(index) for index in indices]
        names = tuple(sorted({parent for parent in parents if parent is not None}))
        places = tuple(None if parent is None else names.index(parent) for parent in parents)
        return Superclasses(names, places) if names else None

    def as_mapping(self, classes: ClassNames) -> dict[str, str]:
        """Return the superclass of each class that has one, by name."""
        parents = ((name, self.name_of(index)) for index, name in enumerate(classes.names))
        return {name: parent for name, parent in parents if parent is not None}


def class_parents(superclasses: Superclasses | None, n_classes: int) -> NDArray[np.int32]:
    """Return the superclass index of each class, `NO_CLASS` where it has none."""
    of_class = superclasses.of_class if superclasses else (None,) * n_classes
    return np.array([NO_CLASS if parent is None else parent for parent in of_class], np.int32)


def _joined(meanings: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """Return the outputs that each name may mean, sorted, of meanings that may repeat a name."""
    meant: dict[str, set[int]] = {}
    for name, indices in meanings:
        meant.setdefault(name, set()).update(indices)
    return {name: tuple(sorted(indices)) for name, indices in meant.items()}

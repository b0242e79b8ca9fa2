"""Match the labels of the data with the classes of the model."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.choices import LabelKind
from errlens.classes.names import NO_CLASS, OUTPUT_NUMBERS, ClassNames
from errlens.classes.spelling import as_number, tidied
from errlens.data.numbering import refuse_counting_from_one
from errlens.data.samples import Samples
from errlens.errors import AmbiguousLabels, ClassCountMismatch, UnfitOption, UnknownLabels, some

FROM_LABELS: Final = "the labels of the data"


def choose_classes(
    labels: Sequence[str],
    *,
    given: ClassNames | None,
    carried: ClassNames | None,
    outputs: int,
    ordered: ClassNames | None = None,
) -> ClassNames:
    """Return the names of a model's outputs: from a file, else the model, else the data's labels.

    `ordered` are the classes of data that have an order of their own; other labels are sorted.
    Data without labels leave the outputs of a model without names to their numbers.

    Raises:
        ClassCountMismatch: There are more or fewer names than outputs.
    """
    names = given or carried or ordered or _from_labels(labels, outputs)
    if len(names) != outputs:
        numbers = [as_number(name) for name in names.names]
        raise ClassCountMismatch(
            outputs=outputs,
            names=len(names),
            source=names.source,
            are_numbers=names.source == FROM_LABELS
            and all(number is not None and number < outputs for number in numbers),
        )
    return names


def numbered(outputs: int) -> ClassNames:
    """Return classes that are called by the number of their output."""
    return ClassNames(tuple(map(str, range(outputs))), source=OUTPUT_NUMBERS)


def kind_of_labels(
    labels: Collection[str], classes: ClassNames | None = None, *, kind: LabelKind | None = None
) -> LabelKind:
    """Tell whether labels are names of classes or numbers of outputs.

    Whole numbers are, unless all of them are names of classes. `kind` is what the user says.
    """
    if kind:
        return kind
    numbers = all(as_number(label) is not None for label in labels)
    names = classes is not None and all(classes.spelt(label) for label in labels)
    return "indices" if numbers and not names else "names"


def are_indices(
    samples: Samples, classes: ClassNames | None = None, *, kind: LabelKind | None = None
) -> bool:
    """Tell whether the labels of the data are numbers of outputs: never where folders give them."""
    if kind is None and not samples.listed:
        return False
    return kind_of_labels(samples.labels, classes, kind=kind) == "indices"


def match_labels(
    labels: Collection[str], classes: ClassNames, *, kind: LabelKind, first: int = 0
) -> dict[str, int | None]:
    """Return the class that each label stands for, None where it stands for none.

    `first` is the number of the first output where labels are numbers.

    Raises:
        AmbiguousLabels: A label may name several classes.
        UnfitOption: Labels that are to be indices are no numbers.
    """
    if kind == "names":
        return _match_names(labels, classes)
    return _match_numbers(labels, classes, first=first)


def label_indices(
    samples: Samples,
    classes: ClassNames,
    *,
    kind: LabelKind | None = None,
    allow_unknown: bool = False,
) -> NDArray[np.int32]:
    """Return the class index of each sample, `NO_CLASS` where it has none or an unknown label.

    Raises:
        UnknownLabels: A label names no class, and `allow_unknown` is off.
        AmbiguousLabels: A label may name several classes, or numbers seem to count from 1.
        UnfitOption: Labels that are to be indices are no numbers.
    """
    labels = samples.frame["label_name"]
    distinct = sorted(labels.dropna().unique())
    numbers = are_indices(samples, classes, kind=kind)
    by_label = match_labels(distinct, classes, kind="indices" if numbers else "names")
    unknown = [label for label in distinct if by_label[label] is None]
    refuse_counting_from_one(
        distinct,
        unknown,
        classes,
        hint="subtract 1 from every label, or name the classes after them with --classes FILE",
    )
    if unknown and not allow_unknown:
        raise UnknownLabels(
            unknown,
            classes.names,
            of=len(distinct),
            source=classes.source,
            folders=not (numbers or samples.listed),
        )
    return labels.map(by_label).fillna(NO_CLASS).to_numpy(np.int32)


def respelt(values: Iterable[str | None], classes: ClassNames) -> dict[tuple[str, str], int]:
    """Return how many values are spelt otherwise than the class they name, by value and class.

    >>> respelt(["Cat", "dog", None, "Cat", "cow"], ClassNames(("cat", "dog")))
    {('Cat', 'cat'): 2}
    """
    count = Counter(value for value in values if value is not None)
    named = {value: classes.index(value) for value in count}
    return {
        (value, classes[index]): count[value]
        for value, index in named.items()
        if index is not None and classes[index] != value
    }


def merged_labels(samples: Samples, classes: ClassNames) -> list[list[str]]:
    """Return the labels that are spelt differently and mean the same class."""
    spellings: dict[int, list[str]] = {}
    for label in samples.labels:
        for index in classes.meant(label):
            spellings.setdefault(index, []).append(label)
    return [labels for labels in spellings.values() if len(labels) > 1]


def order_is_ambiguous(labels: Sequence[str]) -> bool:
    """Tell whether torchvision's order of class folders differs from timm's.

    >>> order_is_ambiguous(["1", "2"]), order_is_ambiguous(["1", "10", "2"])
    (False, True)
    """
    return sorted(labels) != timm_order(labels)


def timm_order(labels: Iterable[str]) -> list[str]:
    """Return class folders as timm sorts them: by number where names hold some, and without case.

    torchvision sorts by character.

    >>> timm_order(["B", "a", "10", "2"])
    ['2', '10', 'a', 'B']
    """
    return sorted(labels, key=_natural)


def _from_labels(labels: Sequence[str], outputs: int) -> ClassNames:
    """Return the labels sorted, without blanks around them where that makes one of each output."""
    if not labels:
        return numbered(outputs)
    names, plain = sorted(labels), sorted({*map(tidied, labels)})
    # Case is no such matter: it decides the order, and that the names of the outputs.
    chosen = plain if len(plain) == outputs < len(names) else names
    return ClassNames(tuple(chosen), source=FROM_LABELS)


def _match_names(labels: Collection[str], classes: ClassNames) -> dict[str, int | None]:
    ambiguous = classes.ambiguous(labels)
    if ambiguous:
        label, meant = next(iter(ambiguous.items()))
        raise AmbiguousLabels(
            f"the label {label!r} may be any of {some(meant)} from {classes.source}",
            hint="spell it exactly like one of them"
            + (", or use its synset id" if "(n" in meant[0] else ""),
        )
    return {label: classes.index(label) for label in labels}


def _match_numbers(
    labels: Collection[str], classes: ClassNames, *, first: int
) -> dict[str, int | None]:
    numbers = {label: as_number(label) for label in labels}
    words = [label for label, number in numbers.items() if number is None]
    if words:
        raise UnfitOption(f"--labels indices, but labels of the data are no numbers: {some(words)}")
    places = {label: number - first for label, number in numbers.items() if number is not None}
    return {label: at if 0 <= at < len(classes) else None for label, at in places.items()}


def _natural(name: str) -> list[int | str]:
    """Return a key that sorts numbers by value and letters without case."""
    pieces = re.split(r"(\d+)", name.lower())
    # Text and numbers alternate, so that a number is only ever compared with a number.
    return [int(piece) if at % 2 else piece for at, piece in enumerate(pieces)]

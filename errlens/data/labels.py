"""Match the labels of the data with the classes of the model."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.classes import ClassNames
from errlens.data.samples import Samples
from errlens.errors import ClassCountMismatch, UnknownLabels

NO_LABEL: Final = -1
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
        raise ClassCountMismatch(outputs=outputs, names=len(names), source=names.source)
    return names


def label_indices(samples: Samples, classes: ClassNames) -> NDArray[np.int32]:
    """Return the class index of each sample, `NO_LABEL` where it has no label.

    Raises:
        UnknownLabels: A label names no class.
    """
    labels = samples.frame["label_name"]
    distinct = labels.dropna().unique()
    unknown = classes.unknown(distinct)
    if unknown:
        raise UnknownLabels(unknown, classes.names, source=classes.source)
    by_label = {label: classes.index(label) for label in distinct}
    return labels.map(by_label).fillna(NO_LABEL).to_numpy(np.int32)


def order_is_ambiguous(labels: Sequence[str]) -> bool:
    """Tell whether torchvision's order of class folders differs from timm's.

    torchvision sorts by character; timm by number where names hold numbers, and without case.

    >>> order_is_ambiguous(["1", "2"]), order_is_ambiguous(["1", "10", "2"])
    (False, True)
    """
    return sorted(labels) != sorted(labels, key=_natural)


def _from_labels(labels: Sequence[str], outputs: int) -> ClassNames:
    if not labels:
        return ClassNames(tuple(map(str, range(outputs))), source="the output numbers")
    return ClassNames(tuple(sorted(labels)), source=FROM_LABELS)


def _natural(name: str) -> list[int | str]:
    """Return a key that sorts numbers by value and letters without case."""
    pieces = re.split(r"(\d+)", name.lower())
    # Text and numbers alternate, so that a number is only ever compared with a number.
    return [int(piece) if at % 2 else piece for at, piece in enumerate(pieces)]

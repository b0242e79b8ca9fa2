"""Images that are in several rows of a table of predictions."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Repetitions(NamedTuple):
    """How many images stand in several rows, in how many rows, and the paths of some.

    Of these images, `contradicting` have different labels; `contradiction` is the path of one of
    them with its labels.
    """

    images: int
    rows: int
    paths: Sequence[str]
    contradicting: int
    contradiction: tuple[str, Sequence[str]]


def same_image(paths: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the image that each row is about, and the first row of each image.

    >>> same_image(["a", "b", "./a"])
    (array([0, 1, 0]), array([0, 1]))
    """
    image, distinct = pd.factorize(np.array([str(PurePosixPath(path)) for path in paths], object))
    first = np.full(len(distinct), len(image), np.int64)
    np.minimum.at(first, image, np.arange(len(image)))
    return image.astype(np.int64), first


def find_repetitions(
    paths: Sequence[str], label: NDArray[np.integer], names: Sequence[str | None]
) -> Repetitions:
    """Find the images that are in several rows.

    Args:
        paths: The path or id of each row; `./a.png` is `a.png`.
        label: What tells the labels of the rows apart, -1 where there is none.
        names: The labels as they are written.

    >>> find_repetitions(["a", "b", "./a"], np.array([0, 1, 1]), ["cat", "dog", "dog"])
    Repetitions(images=1, rows=2, paths=['a'], contradicting=1, contradiction=('a', ['cat', 'dog']))
    """
    table = pd.DataFrame({"path": [str(PurePosixPath(path)) for path in paths], "label": label})
    table["name"] = names
    twice = table[table["path"].duplicated(keep=False)]
    labelled = twice[twice["label"] >= 0]
    labels = labelled.groupby("path", sort=False)["label"].nunique()
    different = labels.index[labels > 1]
    first = different[0] if len(different) else ""
    spelt = labelled.loc[labelled["path"] == first, "name"].drop_duplicates()
    examples = twice["path"].unique()
    return Repetitions(
        len(examples), len(twice), examples[:3].tolist(), len(different), (first, spelt.tolist())
    )

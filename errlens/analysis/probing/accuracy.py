"""How well the features of each layer tell classes apart, on images held out.

The folds depend on labels and seed alone: all layers are judged by the same images.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from errlens.analysis.probing.classifier import fit_linear
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.errors import NoImages, UnfitOption
from errlens.formats import counted
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

Features = Mapping[str, NDArray[np.floating]]  # shape (n, channels), by layer
Progress = Callable[[int], object]

# The columns of layers.csv, in the order of the network.
LAYER_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "channels": WHOLE,  # how many features: one a channel
    "n": WHOLE,
    "accuracy": NUMBER,  # on images held out
    "low": NUMBER,  # Wilson, 95 %
    "high": NUMBER,
    "control": NUMBER,  # the same with shuffled labels
    "control_low": NUMBER,
    "control_high": NUMBER,
    "chance": NUMBER,  # of always naming the most frequent class
}
# The columns of superclasses.csv.
SUPERCLASS_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "superclass": TEXT,
    "n": WHOLE,
    "accuracy": NUMBER,  # the class itself is found
    "low": NUMBER,
    "high": NUMBER,
    "superclass_accuracy": NUMBER,  # a class of the superclass is found
    "superclass_low": NUMBER,
    "superclass_high": NUMBER,
}


def check_folds(label: NDArray[np.integer], names: Sequence[str], *, folds: int) -> None:
    """Refuse images that cannot be held out in so many folds.

    Raises:
        NoImages: There are less than two classes, or one has a single image.
        UnfitOption: One has fewer images than there are folds.
    """
    counts = np.bincount(label, minlength=len(names))
    if len(counts) < 2:
        raise NoImages(f"{counted(len(counts), 'class')} among the images: there is nothing to tell"
                       " apart")  # fmt: skip
    fewest = int(counts.argmin())
    least = int(counts[fewest])
    if least < 2:
        raise NoImages(
            f"{counted(least, 'image')} of {names[fewest]!r}: with two or more of each class some "
            "can be held out"
        )
    if least < folds:
        raise UnfitOption(
            f"--folds {folds}: of {names[fewest]!r} there are {counted(least, 'image')} only",
            hint=f"--folds {least}",
        )


def held_out(
    features: NDArray[np.floating], label: NDArray[np.integer], *, folds: int, seed: int
) -> NDArray[np.int64]:
    """Return the class that is found for each image by a probe fitted to images of other folds.

    Args:
        features: Shape (n, features).
        label: Classes from 0 on, shape (n,), of each at least as many images as folds.
        folds: How many parts there are, each with all classes in proportion.
        seed: Decides which image is in which.
    """
    found = np.full(len(label), -1, np.int64)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(label, label):
        weight, bias = fit_linear(features[train], label[train])
        found[test] = (features[test] @ weight.T + bias).argmax(axis=1)
    return found


def shuffled(label: NDArray[np.integer], *, seed: int) -> NDArray[np.integer]:
    """Return the same labels, of other images each."""
    return np.random.default_rng(seed).permutation(label)


def layer_accuracy(
    features: Features,
    label: NDArray[np.integer],
    *,
    folds: int,
    seed: int,
    advance: Progress = lambda _step: None,
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Probe each layer, with labels as they are and shuffled.

    Args:
        features: Of each layer, in the order of the network.
        label: As for `held_out`.
        folds: Likewise.
        seed: Decides the folds, and how labels are shuffled.
        advance: Is told of each layer done.

    Returns:
        A table of the `LAYER_COLUMNS`, and the class found for each image, by layer.
    """
    control = shuffled(label, seed=seed)
    chance = np.bincount(label).max() / len(label)
    rows, found = [], {}
    for layer, values in features.items():
        found[layer] = held_out(values, label, folds=folds, seed=seed)
        by_luck = held_out(values, control, folds=folds, seed=seed) == control
        rows.append(
            {
                "layer": layer,
                "channels": values.shape[1],
                **share_columns(found[layer] == label),
                **share_columns(by_luck, value="control", before="control_", n=None),
                "chance": chance,
            }
        )
        advance(1)
    return pd.DataFrame(rows, columns=list(LAYER_COLUMNS)), found


def superclass_accuracy(
    found: Mapping[str, NDArray[np.int64]],
    label: NDArray[np.integer],
    parents: Sequence[str | None],
) -> pd.DataFrame:
    """Return how often the classes of each superclass are found, a row a layer and superclass.

    Args:
        found: The class found for each image, by layer.
        label: The class of each.
        parents: The superclass of each class.
    """
    of_class = np.array(parents, object)
    rows = [
        {
            "layer": layer,
            "superclass": name,
            **share_columns((pred == label)[inside]),
            **share_columns(
                (of_class[pred] == name)[inside],
                value="superclass_accuracy",
                before="superclass_",
                n=None,
            ),
        }
        for layer, pred in found.items()
        for name in sorted({parent for parent in parents if parent is not None})
        if (inside := of_class[label] == name).any()
    ]
    return pd.DataFrame(rows, columns=list(SUPERCLASS_COLUMNS))


def share_columns(
    right: NDArray[np.bool_], *, value: str = "accuracy", before: str = "", n: str | None = "n"
) -> dict[str, Any]:
    """Return a share with its interval, and of how many it is, by the names of columns."""
    low, high = wilson_interval(int(right.sum()), len(right))
    shares = {
        value: float(right.mean()), f"{before}low": float(low), f"{before}high": float(high)
    }  # fmt: skip
    return shares if n is None else {n: len(right), **shares}

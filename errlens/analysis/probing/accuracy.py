"""How well the features of each layer tell classes apart, on images held out.

The folds depend on labels and seed alone: all layers are judged by the same images. Beside it
stands what the same probes make of shuffled labels (several shuffles, the same for all layers).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.probing.classifier import USUAL_STRENGTH, held_out
from errlens.analysis.probing.standing import accuracy_by_chance
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.errors import NoImages, UnfitOption
from errlens.formats import counted
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

Features = Mapping[str, NDArray[np.floating]]  # shape (n, channels), by layer
Progress = Callable[[int], object]

SHUFFLES: Final = 10  # of the labels

# The columns of layers.csv, in the order of the network.
LAYER_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "channels": WHOLE,  # how many features: one a channel
    "n": WHOLE,
    "accuracy": NUMBER,  # on images held out
    "low": NUMBER,  # Wilson, 95 %
    "high": NUMBER,
    "control": NUMBER,  # the same with shuffled labels: mean over shuffles
    "control_spread": NUMBER,  # standard deviation over shuffles
    "control_lowest": NUMBER,
    "control_highest": NUMBER,
    "p_chance": NUMBER,  # that luck alone is as good
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


class Probed(NamedTuple):
    """What the probe of a layer finds in n images, held out, each a class from 0 on.

    `found` has shape (n,); `shuffled` (shuffles, n) are labels that other images have, and
    `by_luck` (shuffles, n) is what probes fitted to these find.
    """

    found: NDArray[np.int64]
    shuffled: NDArray[np.integer]
    by_luck: NDArray[np.int64]

    def shares_by_luck(self) -> NDArray[np.float64]:
        """Return the share of images that is right by luck, of each shuffle."""
        return np.asarray((self.by_luck == self.shuffled).mean(axis=1))


def probed(
    features: NDArray[np.floating], label: NDArray[np.integer], *, folds: int, seed: int
) -> Probed:
    """Probe a layer, with labels as they are and shuffled; the latter have the usual strength.

    Args:
        features: Shape (n, channels).
        label: Classes from 0 on, shape (n,), of each at least as many images as folds.
        folds: How many parts are held out in turn.
        seed: Decides the folds, and how labels are shuffled.
    """
    random = np.random.default_rng(seed)
    shuffled = np.stack([random.permutation(label) for _ in range(SHUFFLES)])
    by_luck = [
        held_out(features, of_others, folds=folds, seed=seed, strengths=[USUAL_STRENGTH])
        for of_others in shuffled
    ]
    return Probed(held_out(features, label, folds=folds, seed=seed), shuffled, np.stack(by_luck))


def layer_accuracy(
    features: Features,
    label: NDArray[np.integer],
    *,
    folds: int,
    seed: int,
    advance: Progress = lambda _step: None,
) -> tuple[pd.DataFrame, dict[str, Probed]]:
    """Probe each layer, with labels as they are and shuffled.

    Args:
        features: Of each layer, in the order of the network.
        label: As for `probed`.
        folds: Likewise.
        seed: Likewise.
        advance: Is told of each layer done.

    Returns:
        A table of the `LAYER_COLUMNS`, and what is found in each image, by layer.
    """
    chance = float(np.bincount(label).max() / len(label))
    rows, layers = [], {}
    for layer, values in features.items():
        layers[layer] = probed(values, label, folds=folds, seed=seed)
        hits = layers[layer].found == label
        by_luck = layers[layer].shares_by_luck()
        rows.append(
            {
                "layer": layer,
                "channels": values.shape[1],
                **share_columns(hits),
                "control": float(by_luck.mean()),
                "control_spread": float(by_luck.std(ddof=1)),
                "control_lowest": float(by_luck.min()),
                "control_highest": float(by_luck.max()),
                "p_chance": accuracy_by_chance(hits, by_luck, chance=chance),
                "chance": chance,
            }
        )
        advance(1)
    return pd.DataFrame(rows, columns=list(LAYER_COLUMNS)), layers


def superclass_accuracy(
    layers: Mapping[str, Probed],
    label: NDArray[np.integer],
    parents: Sequence[str | None],
) -> pd.DataFrame:
    """Return how often the classes of each superclass are found, a row a layer and superclass.

    Args:
        layers: What the probe of each finds.
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
        for layer, (pred, *_) in layers.items()
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

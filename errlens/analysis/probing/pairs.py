"""At which layer two classes can be told apart, and at which they no longer can.

A probe that knows these two alone is fitted to the images of both; `standing` says how layers are
compared.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.probing.accuracy import Features, Progress, probed
from errlens.analysis.probing.standing import (
    STANDING_COLUMNS,
    Course,
    LayerHits,
    accuracy_by_chance,
    compared,
    facts,
)
from errlens.formats import share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

# The columns of pairs.csv, a row a pair and layer.
PAIR_COLUMNS: Final[Columns] = {
    "class_a": TEXT,
    "class_b": TEXT,
    "layer": TEXT,
    "n_a": WHOLE,
    "n_b": WHOLE,
    "chance": NUMBER,  # of always naming the more frequent one
    "accuracy": NUMBER,  # of images of both, held out
    **STANDING_COLUMNS,
}


class Parting(NamedTuple):
    """Where two classes part: names of layers, None where there is none; `sentence` says it all.

    `above_chance` is the first layer that is better than chance, `told_at` the first that is as
    good as the best, `less_at` the first after the best that is worse, `lost_at` the first after it
    that is no better than chance.
    """

    class_a: str
    class_b: str
    above_chance: str | None
    told_at: str | None
    best: str
    less_at: str | None
    lost_at: str | None
    sentence: str


def probe_pair(
    features: Features,
    label: NDArray[np.integer],
    pair: tuple[int, int],
    names: tuple[str, str],
    *,
    folds: int,
    seed: int,
    advance: Progress = lambda _step: None,
) -> pd.DataFrame:
    """Probe each layer for two classes alone; return a table of the `PAIR_COLUMNS`.

    Args:
        features: Of all images, by layer, in the order of the network.
        label: The class of each image.
        pair: The two classes, each with at least as many images as folds.
        names: What these are called.
        folds: How many parts are held out in turn.
        seed: Decides which image is in which, and how labels are shuffled.
        advance: Is told of each layer done.
    """
    at = np.flatnonzero(np.isin(label, pair))
    is_b = (label[at] == pair[1]).astype(np.int64)
    n_b = int(is_b.sum())
    chance = max(n_b, len(at) - n_b) / len(at)
    layers = {}
    for layer, values in features.items():
        probe = probed(values[at], is_b, folds=folds, seed=seed)
        hits, by_luck = probe.found == is_b, probe.shares_by_luck()
        layers[layer] = LayerHits(hits, by_luck, accuracy_by_chance(hits, by_luck, chance=chance))
        advance(1)
    table = pd.DataFrame(compared(layers, value="accuracy")).assign(
        class_a=names[0], class_b=names[1], n_a=len(at) - n_b, n_b=n_b, chance=chance
    )
    return table[list(PAIR_COLUMNS)]


def partings(pairs: pd.DataFrame) -> Iterable[Parting]:
    """Yield where the two classes of each pair of a table part."""
    for (a, b), table in pairs.groupby(["class_a", "class_b"], sort=False):
        course = Course.of(table.to_dict("records"))
        names = [
            None if row is None else str(row["layer"])
            for row in (course.above_chance, course.told, course.best, course.less, course.lost)
        ]
        yield Parting(str(a), str(b), *names[:2], str(names[2]), *names[3:], _said(a, b, course))


def _said(a: str, b: str, course: Course) -> str:
    """Say where two classes part."""
    best = course.best
    n = best["n_a"] + best["n_b"]
    known = facts(best, value="accuracy", n=n)
    if course.told is None or course.above_chance is None:
        return (
            f"{a} and {b}: no layer is shown to tell them apart (best: {best['layer']}, {known}; "
            f"chance {share(best['chance'], n)})"
        )
    told, above = course.told, course.above_chance

    def at(row: Any) -> str:
        return f"{row['layer']} ({share(row['accuracy'], n)})"

    before = "" if above is told else f", better than by chance from {at(above)} on"
    first = f"{told['layer']} on ({known})" if told is best else f"{at(told)} on"
    top = "" if told is best else f", best at {best['layer']} ({known})"
    return (
        f"{a} and {b} are told apart from {first}{before}{top}{course.after(value='accuracy', n=n)}"
    )

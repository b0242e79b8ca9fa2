"""At which layers the images of a class are found, and at which they are lost again.

By luck a probe may find all images of a class, if it takes all images for that class. Whether one
is found better than by chance is therefore asked of its recall less the share of all other images
that are taken for it (Youden's J: W. J. Youden, Cancer 3 (1950) 32-35).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.probing.accuracy import Probed
from errlens.analysis.probing.standing import (
    STANDING_COLUMNS,
    Course,
    LayerHits,
    chance_of,
    compared,
    facts,
)
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

# The columns of classes.csv, a row a class and layer.
CLASS_COLUMNS: Final[Columns] = {
    "class_name": TEXT,
    "layer": TEXT,
    "n": WHOLE,
    "recall": NUMBER,  # of images held out
    **STANDING_COLUMNS,
}


class Loss(NamedTuple):
    """A class that later layers find less well than the best does, or no longer."""

    class_name: str
    best: str
    less_at: str | None
    lost_at: str | None
    sentence: str


def class_recall(
    layers: Mapping[str, Probed], label: NDArray[np.integer], names: Sequence[str]
) -> pd.DataFrame:
    """Return which share of each class the probes find; a table of the `CLASS_COLUMNS`.

    Args:
        layers: What the probe of each finds, in the order of the network.
        label: The class of each image, from 0 on, of each some.
        names: What the classes are called.
    """
    tables = []
    for number, name in enumerate(names):
        hits = {layer: _hits(probe, label, number) for layer, probe in layers.items()}
        table = pd.DataFrame(compared(hits, value="recall", tried=len(names)))
        tables.append(table.assign(class_name=name, n=int((label == number).sum())))
    return pd.concat(tables, ignore_index=True)[list(CLASS_COLUMNS)]


def _hits(probe: Probed, label: NDArray[np.integer], number: int) -> LayerHits:
    """Return which images of a class a probe finds, and how likely luck is to do as well."""
    recall, of_others = _rates(probe.found, label, number)
    lucky_recall, lucky_of_others = _rates(probe.by_luck, probe.shuffled, number)
    taken, n = (probe.found == number).mean(), np.sum(label == number)
    spread = np.sqrt(taken * (1 - taken) * (1 / n + 1 / (len(label) - n)))
    by_chance = chance_of(
        float(recall - of_others), lucky_recall - lucky_of_others, mean=0, spread=float(spread)
    )
    return LayerHits((probe.found == number)[label == number], lucky_recall, by_chance)


def _rates(
    found: NDArray[np.integer], label: NDArray[np.integer], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of the images of a class, and of all others, that is taken for it."""
    inside, taken = label == number, found == number
    return (
        (taken & inside).sum(axis=-1) / inside.sum(axis=-1),
        (taken & ~inside).sum(axis=-1) / (~inside).sum(axis=-1),
    )


def losses(classes: pd.DataFrame) -> Iterable[Loss]:
    """Yield the classes of a table that later layers find less well, or no longer."""
    for name, table in classes.groupby("class_name", sort=False):
        course = Course.of(table.to_dict("records"))
        if course.less is None and course.lost is None:
            continue
        best, n = course.best, int(course.best["n"])
        yield Loss(
            str(name),
            str(best["layer"]),
            None if course.less is None else str(course.less["layer"]),
            None if course.lost is None else str(course.lost["layer"]),
            f"{name} is found best at {best['layer']} ({facts(best, value='recall', n=n)})"
            f"{course.after(value='recall', n=n)}",
        )

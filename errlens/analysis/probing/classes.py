"""At which layers the images of a class are found, and at which they are lost again.

The recall of a class falls also where a probe takes its images for those of another class: that is
what it means that the layer no longer tells them.
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
        of_class = label == number
        hits = {
            layer: LayerHits(probe.found[of_class] == number, probe.shares_by_luck(of_class=number))
            for layer, probe in layers.items()
        }
        table = pd.DataFrame(compared(hits, value="recall", tried=len(names)))
        tables.append(table.assign(class_name=name, n=int(of_class.sum())))
    return pd.concat(tables, ignore_index=True)[list(CLASS_COLUMNS)]


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

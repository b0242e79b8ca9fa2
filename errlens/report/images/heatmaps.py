"""The pictures that `errlens explain` made of images, and what is on them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pandas as pd

from errlens.run.csv_tables import TEXT, WHOLE, Columns

# What a page needs to know of the pictures in explain/index.csv.
PICTURE_COLUMNS: Final[Columns] = {
    "row": WHOLE, "method": TEXT, "target": TEXT, "file": TEXT, "status": TEXT,
}  # fmt: skip


class HeatMap(NamedTuple):
    """A picture of heat maps of a row; `file` is where it lies below RUN/explain.

    A picture shows one method's maps for some targets, or those of several methods.
    """

    row: int
    method: str
    file: str
    targets: Sequence[str]

    @property
    def caption(self) -> str:
        """What is on it, and which file it is.

        >>> HeatMap(7, "grad-cam", "cat__dog/7_a_grad-cam.png", ["predicted", "true"]).caption
        'grad-cam for predicted and true · 7_a_grad-cam.png'
        """
        name = self.file.rpartition("/")[2]
        targets = " and ".join(filter(None, [", ".join(self.targets[:-1]), *self.targets[-1:]]))
        return f"{self.method}{f' for {targets}' if targets else ''} · {name}"


def heatmaps_by_row(index: pd.DataFrame) -> Mapping[int, Sequence[HeatMap]]:
    """Return the pictures of each row in the order of the index; `index` has `PICTURE_COLUMNS`."""
    good = index[(index["status"] == "ok") & index["file"].notna()]
    pictures: dict[int, list[HeatMap]] = {}
    for _, maps in good.groupby(["row", "file"], sort=False):
        row, file = int(maps["row"].iloc[0]), str(maps["file"].iloc[0])
        methods, targets = ([*dict.fromkeys(maps[name].dropna())] for name in ("method", "target"))
        pictures.setdefault(row, []).append(HeatMap(row, " and ".join(methods), file, targets))
    return pictures

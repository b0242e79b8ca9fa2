"""What `errlens network embed` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.analysis.embedding.points import Points
from errlens.analysis.embedding.trust import Trust
from errlens.choices import MapMethod
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns, in_a_line

# One row an image, in the order of the run; `right` is missing where there is no label.
MAP_COLUMNS: Final[Columns] = {
    "row": WHOLE, "sample_id": TEXT, "path": TEXT, "x": NUMBER, "y": NUMBER, "label_name": TEXT,
    "pred_name": TEXT, "right": TRUTH, "colour": TEXT, "group": NUMBER,
}  # fmt: skip


class Tables(NamedTuple):
    """The tables, called like their files."""

    map: pd.DataFrame
    neighbours: pd.DataFrame

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(self._asdict())


class EmbedResult(NamedTuple):
    """A map of the images of a run, and the neighbours of its errors.

    `standings` says among what each error lies, `worst` has the errors, the worst first.
    `explained` are the shares of the variance along x and y, None of t-SNE. `groups` are the
    classes of each confused group that is outlined. `left_out` counts images that are not on the
    map, by why; `absent` says of photos that could not be shown why. The names of `files` start
    from `folder`.
    """

    points: Points
    tables: Tables
    standings: pd.DataFrame
    worst: pd.DataFrame
    sentences: Sequence[str]
    method: MapMethod
    explained: tuple[float, float] | None
    trust: Trust
    groups: Sequence[Sequence[str]]
    n_training: int | None
    left_out: Mapping[str, int]
    folder: Path
    absent: Mapping[str, str] = {}
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def as_tree(self) -> dict[str, Any]:
        """Return what was found, but for the tables, as JSON has it."""
        return {
            "method": self.method,
            "n_images": len(self.points),
            "n_errors": int(self.points.wrong.sum()),
            "n_training": self.n_training,
            "explained": self.explained,
            "trust": {
                name: None if value != value else value
                for name, value in self.trust._asdict().items()
            },
            "groups": [list(names) for names in self.groups],
            "left_out": dict(self.left_out),
            "sentences": list(self.sentences),
        }

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the first neighbours, and a picture."""
        names = ("path", "label_name", "pred_name", "among", "neighbour_label", "similarity")
        return shown(repr(self), self.tables.neighbours, columns=names, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        errors = counted(int(self.points.wrong.sum()), "error")
        return f"a map of {counted(len(self.points), 'image')}, {errors}"

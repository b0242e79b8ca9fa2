"""What `errlens compare` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.comparison.by_image import ChangedImages
from errlens.analysis.comparison.by_run import Comparison
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.errors import some
from errlens.formats import count, counted

_SHOWN: Final = (
    "run", "n", "top1", "top1_low", "top1_high", "fixed", "broken", "difference", "p_value",
)  # fmt: skip


class ComparisonResult(NamedTuple):
    """What is known of all runs, each against the first, and of two of them how they differ.

    `best` is the run that is right more often than each of the others beyond chance, if one is.
    `relabelled` images have another label in one of the runs, `other_files` another content, though
    they have the same name. `absent` images could not be shown on the galleries, with the reason by
    path. The names of `files` start from the folder of the results.
    """

    runs: pd.DataFrame
    comparisons: Sequence[Comparison]
    best: int | None
    relabelled: int
    other_files: int
    classes: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    changed: ChangedImages | None = None
    files: Sequence[str] = ()
    absent: Mapping[str, str] = {}
    folder: Path = Path()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the table of runs, and what changed."""
        return shown(repr(self), self.runs, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook: what was compared, and what changed."""
        tables = [f"{count(len(table))} {name}" for name, table in self.changes().items()]
        what = ", ".join([some(self.names, most=3), *tables])
        return f"<{what}; {counted(len(self.files), 'file')} written>"

    @property
    def names(self) -> list[str]:
        """What the runs are called."""
        return [str(name) for name in self.runs["run"]]

    def changes(self) -> dict[str, pd.DataFrame]:
        """Return what broke and what was fixed, if there are images in common."""
        if self.changed is None:
            return {}
        return {"broken": self.changed.broken, "fixed": self.changed.fixed}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by the names of their files."""
        known = {"runs": self.runs, "classes": self.classes, "pairs": self.pairs}
        return {
            **{name: table for name, table in known.items() if table is not None},
            **self.changes(),
        }

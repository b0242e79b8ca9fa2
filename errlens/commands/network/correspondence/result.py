"""What `errlens network correspondence` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.correspondence.changes import Changes
from errlens.analysis.correspondence.sentences import strongest
from errlens.analysis.correspondence.tables import Held
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = ("part", "layer", "units", "n", "distance", "random_mean", "q_value", "alike")


class CorrespondenceResult(NamedTuple):
    """Whether hiding parts changes the features of layers alike in all images.

    `layers` has a row for each part, layer and kind of units, `parts` one for each part. `held` are
    the same with what is said of single images, and `changes` what all of it was made of. The names
    of `files` start from `folder`.
    """

    layers: pd.DataFrame
    parts: pd.DataFrame
    sentences: Sequence[str]
    held: Sequence[Held]
    changes: Changes
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: distances as numbers, and pictures."""
        return shown(repr(self), self.layers, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        said = []
        for part, rows in self.layers.groupby("part", sort=False):
            alike = rows[rows["alike"]]
            where = f"alike at {strongest(alike)['layer']}" if len(alike) else "cannot be told"
            said.append(f"{part} of {counted(int(rows['n'].iloc[0]), 'image')}: {where}")
        return "; ".join(said)

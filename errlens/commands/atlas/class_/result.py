"""What `errlens atlas class` makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.atlas.mapped import AtlasMap
from errlens.choices import MapMethod
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = ("rank", "cell_row", "cell_column", "other_class", "attribution", "n_images")


class ClassTables(NamedTuple):
    """The tables of a class: suspects.csv, concepts.csv and senses.csv."""

    suspects: pd.DataFrame
    concepts: pd.DataFrame
    senses: pd.DataFrame


class ClassAtlas(NamedTuple):
    """The atlas of a class at a layer.

    `absent` says of photos that could not be shown why, by their sample ids. The names of `files`
    start from `folder`.
    """

    layer: str
    name: str
    drawn: AtlasMap
    layout: MapMethod
    tables: ClassTables
    sentences: Sequence[str]
    absent: Mapping[str, str]
    folder: Path
    files: Sequence[str] = ()

    @property
    def suspects(self) -> pd.DataFrame:
        """The cells that add to the class, and more to another, the most suspicious first."""
        return self.tables.suspects

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)


class ClassResult(NamedTuple):
    """The atlases of some classes, layer by layer."""

    atlases: Sequence[ClassAtlas]
    page: Path | None = None

    @property
    def figures(self) -> Pictures:
        """The pictures of the last atlas, by their names."""
        return self.atlases[-1].figures

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the suspects of the last atlas, and its picture."""
        last = self.atlases[-1]
        return shown(repr(self), last.suspects, columns=_SHOWN, pictures=last.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        suspects = ", ".join(
            f"{counted(len(atlas.suspects), 'suspect')} of {atlas.name} at {atlas.layer}"
            for atlas in self.atlases
        )
        return f"class atlases: {suspects}"

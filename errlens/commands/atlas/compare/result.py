"""What `errlens atlas compare` makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from errlens.analysis.atlas.mapped import AtlasMap
from errlens.choices import MapMethod
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = ("cell_row", "cell_column", "n_images", "top_class", "difference", "n_pair_errors")


class PairAtlas(NamedTuple):
    """The map of two classes at a layer.

    The table of `drawn` has what its points add to the first more than to the second, `difference`.
    `absent` says of photos that could not be shown why, by their sample ids. The names of `files`
    start from `folder`.
    """

    layer: str
    names: tuple[str, str]
    drawn: AtlasMap
    layout: MapMethod
    sentences: Sequence[str]
    absent: Mapping[str, str]
    folder: Path
    files: Sequence[str]

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)


class PairResult(NamedTuple):
    """The maps of some pairs of classes, layer by layer."""

    atlases: Sequence[PairAtlas]
    page: Path | None = None

    @property
    def figures(self) -> Pictures:
        """The pictures of the last map, by their names."""
        return self.atlases[-1].figures

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the cells of the last map, and its picture."""
        last = self.atlases[-1]
        return shown(repr(self), last.drawn.table, columns=_SHOWN, pictures=last.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was made."""
        maps = ", ".join(
            f"{counted(len(atlas.drawn), 'cell')} of {'~'.join(atlas.names)} at {atlas.layer}"
            for atlas in self.atlases
        )
        return f"classes compared: {maps}"

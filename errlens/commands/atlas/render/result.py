"""What `errlens atlas render` makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from errlens.analysis.atlas.mapped import AtlasMap
from errlens.choices import MapMethod
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = (
    "cell_row", "cell_column", "n_points", "n_images", "top_class", "top_attribution",
)  # fmt: skip


class RenderedLayer(NamedTuple):
    """The atlas of a layer.

    `absent` says of photos that could not be shown why, by their sample ids. The names of `files`
    start from `folder`.
    """

    layer: str
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


class RenderResult(NamedTuple):
    """The atlases of some layers of a network, in its order."""

    layers: Sequence[RenderedLayer]
    page: Path | None = None

    @property
    def figures(self) -> Pictures:
        """The pictures of the last layer, by their names."""
        return self.layers[-1].figures

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the cells of the last layer, and its picture."""
        table = self.layers[-1].drawn.table
        return shown(repr(self), table, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was made."""
        cells = ", ".join(
            f"{counted(len(of_layer.drawn), 'cell')} of {of_layer.layer}"
            for of_layer in self.layers
        )
        return f"an atlas: {cells}"

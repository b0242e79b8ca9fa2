"""What `errlens network features` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from errlens.commands.network.features.discriminating import Discriminated
from errlens.commands.network.features.tables import Tables
from errlens.commands.network.run_images import Facts
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted
from errlens.network.units.patches import Patch
from errlens.network.units.top_images import Found

_SHOWN: Final = ("layer", "channel", "highest", "fires", "n", "classes")


class FeaturesResult(NamedTuple):
    """Where channels fire the most, and what is seen there.

    `images` are what is known of all images, by the numbers that `found` has for them; `patches`
    are by layer, channel and rank, from 0. `projection` is how units were carried back, None where
    they were not; `remarks` say by layer what a reader must know of that. The names of `files`
    start from `folder`. `told_apart` is what tells two classes apart, where that was asked.
    """

    found: Found
    images: Sequence[Facts]
    patches: Mapping[tuple[str, int, int], Patch]
    tables: Tables
    projection: str | None
    remarks: Mapping[str, str]
    folder: Path
    files: Sequence[str] = ()
    told_apart: Discriminated | None = None

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the channels, and a sheet of them."""
        return shown(repr(self), self.tables.firing, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Say in a line what was found."""
        layers = self.found.layers
        channels = sum(len(layer.channels) for layer in layers)
        return (
            f"{counted(channels, 'channel')} in {counted(len(layers), 'layer')} over "
            f"{counted(self.found.seen, 'image')}"
        )

"""What `errlens network evolution` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from errlens.commands.network.evolution.tables import Tables
from errlens.commands.network.run_images import Facts
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted
from errlens.network.evolution.evolving import Evolution

_SHOWN: Final = ("checkpoint", "n", "accuracy", "loss", "ece", "layer", "cka", "settled")


class EvolutionResult(NamedTuple):
    """What was seen at each checkpoint; `images` are what is known of each, by its number.

    `sentences` say the most important. The names of `files` start from `folder`.
    """

    found: Evolution
    images: Sequence[Facts]
    tables: Tables
    sentences: Sequence[str]
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: how well it does at each checkpoint, and a picture."""
        table = self.tables.settled if self.tables.training is None else self.tables.training
        columns = [name for name in table if name in _SHOWN]
        return shown(repr(self), table, columns=columns, pictures=self.figures)

    def __repr__(self) -> str:
        """Say in a line what was found."""
        return (
            f"{counted(len(self.found.checkpoints), 'checkpoint')}, "
            f"{counted(len(self.found.layers), 'layer')} over "
            f"{counted(len(self.found.read), 'image')}"
        )

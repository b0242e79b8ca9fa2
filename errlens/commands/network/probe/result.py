"""What `errlens network probe --layers` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from errlens.analysis.probing.accuracy import SHUFFLES
from errlens.analysis.probing.classes import Loss
from errlens.analysis.probing.pairs import Parting
from errlens.commands.network.subject import Subject
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.commands.showing import records
from errlens.formats import counted, share, share_range


class LayerProbe(NamedTuple):
    """What layers tell of classes, as tables.

    `layers` has a row a layer, `classes` one a class and layer, `superclasses` one a layer and
    superclass, `pairs` one a pair and layer, `curves` one a layer and number of images; None where
    that was not asked for. `partings` say where the classes of each pair part, `losses` which
    classes are found less well after their best layer. `own` is the share that a run got right of
    the same images. The names of `files` start from `folder`.
    """

    subject: Subject
    n: int
    names: Sequence[str]
    layers: pd.DataFrame | None
    classes: pd.DataFrame | None
    superclasses: pd.DataFrame | None
    pairs: pd.DataFrame | None
    curves: pd.DataFrame | None
    partings: Sequence[Parting]
    losses: Sequence[Loss]
    own: float | None
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def as_tree(self) -> dict[str, Any]:
        """Return what was found as JSON has it."""
        tables = {
            "layers": self.layers,
            "recall": self.classes,
            "superclasses": self.superclasses,
            "pairs": self.pairs,
            "curves": self.curves,
        }
        return {
            "images": self.n,
            "classes": list(self.names),
            "own_accuracy": self.own,
            "partings": [parting._asdict() for parting in self.partings],
            "losses": [loss._asdict() for loss in self.losses],
            **{name: None if table is None else records(table) for name, table in tables.items()},
        }

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a table, and a picture."""
        table = self.curves if self.layers is None else self.layers
        assert table is not None  # noqa: S101 - one was asked for
        return shown(repr(self), table, columns=tuple(table.columns), pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def of_chance(self) -> str:
        """What the probes make of shuffled labels, and what naming one class for all would get."""
        table = self.layers
        assert table is not None  # noqa: S101 - else it is not asked for
        ends = share_range(table["control_lowest"].min(), table["control_highest"].max(), self.n)
        return (
            f"With shuffled labels layers get {share(table['control'].mean(), self.n)} ({ends} in "
            f"{counted(SHUFFLES, 'shuffle')} of each); always naming the most frequent class gets "
            f"{share(table['chance'].iloc[0], self.n)}"
        )

    @property
    def in_a_line(self) -> str:
        """How many layers of which network were probed with how many images."""
        tables = [table for table in (self.layers, self.curves) if table is not None]
        layers = counted(tables[0]["layer"].nunique(), "layer")
        return (
            f"{self.subject.name}: {layers} probed with {counted(self.n, 'image')} of "
            f"{counted(len(self.names), 'class')}"
        )

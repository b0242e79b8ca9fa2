"""What `errlens network layers` finds."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from errlens.commands.network.subject import Subject
from errlens.commands.notebook.markup import shown
from errlens.commands.showing import records
from errlens.formats import counted
from errlens.network.layers import Layers


class LayersResult(NamedTuple):
    """The layers of a network, which one that is, and where the table was written."""

    subject: Subject
    layers: Layers
    folder: Path

    @property
    def table(self) -> pd.DataFrame:
        """A row a layer, as in layers.csv."""
        return self.layers.table

    def as_tree(self) -> dict[str, Any]:
        """Return the network and its layers as JSON has them."""
        found = self.layers
        layers = [
            {**layer, "analyses": layer["analyses"].split(", ") if layer["analyses"] else []}
            for layer in records(self.table)
        ]
        return {
            "model": self.subject.classifier.network.name,
            "input_size": list(found.size),
            "parameters": found.parameters,
            "multiply_adds": found.multiply_adds,
            "why_no_field": found.why_no_field,
            "why_no_gradient": found.why_no_gradient,
            "layers": layers,
        }

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the table."""
        return shown(repr(self), self.table)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.subject.name}: {counted(len(self.table), 'layer')}>"

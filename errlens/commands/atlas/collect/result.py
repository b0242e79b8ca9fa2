"""What `errlens atlas collect` collects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from errlens.atlas.points.collecting import Method
from errlens.atlas.points.layers import PointLayer
from errlens.commands.notebook.markup import shown
from errlens.formats import counted


class LayerPoints(NamedTuple):
    """The points of one layer, in `folder`.

    `method` is how attributions were computed; `bias` adds up to the logits with those of all
    places, shape (classes,), None where they need not. `dead` are channels that are zero in every
    point. `unread` says of images that are left out why, by their paths.
    """

    layer: PointLayer
    folder: Path
    n_images: int
    n_points: int
    method: Method
    bias: Sequence[float] | None
    dead: Sequence[int]
    unread: Mapping[str, str]
    files: Sequence[str] = ()

    def as_tree(self) -> dict[str, Any]:
        """Return what JSON says of it."""
        return {
            "layer": self.layer.name,
            "grid": list(self.layer.grid),
            "channels": self.layer.channels,
            "depth": self.layer.depth,
            "method": self.method,
            "bias": None if self.bias is None else list(self.bias),
            "n_images": self.n_images,
            "n_points": self.n_points,
            "n_unread": len(self.unread),
            "unread": dict(self.unread),
            "dead_channels": list(self.dead),
        }


class CollectResult(NamedTuple):
    """The points of each layer, those next to the network's end last."""

    layers: Sequence[LayerPoints]

    @property
    def table(self) -> pd.DataFrame:
        """A row a layer."""
        return pd.DataFrame(
            {
                "layer": [of_layer.layer.name for of_layer in self.layers],
                "n_points": [of_layer.n_points for of_layer in self.layers],
                "n_images": [of_layer.n_images for of_layer in self.layers],
                "rows": [of_layer.layer.grid[0] for of_layer in self.layers],
                "columns": [of_layer.layer.grid[1] for of_layer in self.layers],
                "channels": [of_layer.layer.channels for of_layer in self.layers],
                "dead_channels": [len(of_layer.dead) for of_layer in self.layers],
                "method": [of_layer.method for of_layer in self.layers],
            }
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a row a layer."""
        return shown(repr(self), self.table)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was collected."""
        points = sum(of_layer.n_points for of_layer in self.layers)
        return f"{counted(points, 'point')} of {counted(len(self.layers), 'layer')}"

"""What `errlens network filters` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.commands.network.subject import Subject
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.commands.showing import records
from errlens.formats import counted
from errlens.network.filters.tables import FilterTables

_SHOWN: Final = (
    "network", "layer", "filters", "dead", "duplicates", "low", "middle", "high", "aliasing",
)  # fmt: skip


class Judged(NamedTuple):
    """The filters of one network: tables, and what else there is to know.

    `first` is the layer whose filters look at pixels, and `images` are these, shape (filters,
    channels, rows, columns), red first; both are None where there is none. `left_out` says why a
    convolution is in no table, by the name of its layer.
    """

    name: str
    subject: Subject
    tables: FilterTables
    first: str | None
    images: NDArray[np.float64] | None
    left_out: Mapping[str, str]


class FiltersResult(NamedTuple):
    """What filters are like, of one network or of two.

    `tables.layers` has a row a convolution, `tables.filters` a row a filter. `suspicions` says what
    is suspicious, and `untrained` names networks that never were trained. `differences` has the
    layers that two networks share, with what they come to in `differing`; of one it is None. The
    names of `files` start from `folder`.
    """

    networks: Sequence[Judged]
    tables: FilterTables
    suspicions: pd.DataFrame
    untrained: Sequence[str]
    differences: pd.DataFrame | None
    differing: Sequence[str]
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def as_tree(self) -> dict[str, Any]:
        """Return what was found as JSON has it."""
        return {
            "networks": [
                {
                    "network": network.name,
                    "model": network.subject.classifier.network.name,
                    "made_of": network.subject.made_of,
                    "first_layer": network.first,
                    "left_out": dict(network.left_out),
                }
                for network in self.networks
            ],
            "untrained": list(self.untrained),
            "suspicions": records(self.suspicions),
            "differing": list(self.differing),
        }

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the layers, and a picture."""
        return shown(repr(self), self.tables.layers, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found, of all networks together."""
        names = " and ".join(network.name for network in self.networks)
        layers, filters, suspicions = map(len, (*self.tables, self.suspicions))
        return (
            f"{names}: {counted(layers, 'convolution')}, {counted(filters, 'filter')}, "
            f"{counted(suspicions, 'suspicion')}"
        )

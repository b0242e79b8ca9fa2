"""What `errlens network activations` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = ("image", "stage", "channel", "rank", "value", "x", "y")


class ActivationsResult(NamedTuple):
    """What the channels of a layer respond to.

    `channels` has a row for each channel of each photo; `boxes` those inside and outside of boxes,
    `filters` what filters of a first layer prefer: None of other layers. `maps` are the activations
    by name, shape (channels, rows, columns). `chosen` are the channels shown one by one. The names
    of `files` start from `folder`.
    """

    layer: str
    channels: pd.DataFrame
    chosen: Sequence[int]
    boxes: pd.DataFrame
    filters: pd.DataFrame | None
    maps: Mapping[str, NDArray[np.float32]]
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the channels chosen, and a picture."""
        rows = self.channels[self.channels["channel"].isin(self.chosen)]
        return shown(repr(self), rows, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        n = self.channels["channel"].nunique()
        images = self.channels["image"].nunique()
        return f"<layer {self.layer!r}: {counted(n, 'channel')} of {counted(images, 'image')}>"

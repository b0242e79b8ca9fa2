"""What `errlens network occlusion` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.attribution.judging.pointing_game import Evidence
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = (
    "sample_id", "class_name", "probability", "lowest_probability", "channel", "activity",
    "lowest_activity", "other_label_share", "object_share", "object_area",
)  # fmt: skip


class OcclusionResult(NamedTuple):
    """What becomes of images under a square.

    `images` has a row for each; `sentences` say the same by the name of the image. `evidence` holds
    the shares on the object against its area over all images, of the probability and of the
    activity, where there are outlines. `remark` is what must be known of the projection. `unread`
    says why images are missing. The names of `files` start from `folder`.
    """

    images: pd.DataFrame
    sentences: Mapping[str, Sequence[str]]
    evidence: Mapping[str, Evidence]
    layer: str
    projection: str | None
    remark: str | None
    unread: Mapping[str, str]
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the images as numbers, and a picture."""
        return shown(repr(self), self.images, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        other = int((self.images["other_label_share"] > 0).sum())
        n = len(self.images)
        return f"{counted(n, 'image')}, {other} of {n} with another label somewhere"

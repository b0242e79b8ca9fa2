"""What `errlens atlas paste` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted

_SHOWN: Final = (
    "suspect", "source", "from_class", "to_class", "n_images", "rate", "noise_rate",
    "control_rate", "q_value", "verdict",
)  # fmt: skip
_SHOWN_OF_PHOTOS: Final = (
    "sample_id", "size", "position", "pred_before", "confidence_before", "pred_after",
    "confidence_after",
)  # fmt: skip


class PasteResult(NamedTuple):
    """What a patch does to what is predicted.

    `verdicts` has a row a suspect, and none of photos without a test; `summary` one for each patch,
    size and position; `images` one for each image as well. `sentences` are those on each suspect,
    or photo. `unread` says why images are missing. The names of `files` start from `folder`.
    """

    verdicts: pd.DataFrame
    summary: pd.DataFrame
    images: pd.DataFrame
    sentences: Sequence[str]
    unread: Mapping[str, str]
    folder: Path
    files: Sequence[str] = ()
    page: Path | None = None

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: verdicts as numbers, or what became of photos."""
        if len(self.verdicts):
            return shown(repr(self), self.verdicts, columns=_SHOWN, pictures=self.figures)
        return shown(repr(self), self.images, columns=_SHOWN_OF_PHOTOS, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        n = self.images["sample_id"].nunique()
        if not len(self.verdicts):
            other = self.images[self.images["pred_before"] != self.images["pred_after"]]
            return f"{counted(n, 'photo')}, {other['sample_id'].nunique()} taken for another class"
        told = self.verdicts["verdict"].value_counts()
        return f"{counted(n, 'image')}: " + ", ".join(
            f"{k} {verdict}" for verdict, k in told.items()
        )

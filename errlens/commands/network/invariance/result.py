"""What `errlens network invariance` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.invariance.answers import Answers
from errlens.analysis.invariance.sentences import Loss
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.data.photos.transforms import Transform
from errlens.formats import counted

_SHOWN: Final = (
    "transform", "size", "layer", "euclidean_mean", "cosine_mean", "probability_mean",
    "same_prediction",
)  # fmt: skip


class InvarianceResult(NamedTuple):
    """How far transforms move features and predictions.

    `curves` has a row for each size of each transform and each layer, `classes` one for each class
    and transform: at which size the class breaks. `losses` say at which natural size a transform
    costs most, the worst first. `answers` are those about single images. The names of `files` start
    from `folder`.
    """

    curves: pd.DataFrame
    classes: pd.DataFrame
    sentences: Sequence[str]
    losses: Sequence[Loss]
    transforms: Sequence[Transform]
    answers: Answers
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the curves as numbers, and a picture."""
        return shown(repr(self), self.curves, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        worst = self.losses[0]
        return (
            f"{counted(len(self.answers), 'image')}, {counted(len(self.transforms), 'transform')}: "
            f"{worst.transform.name} costs most"
        )

"""What `errlens network invariance --severity` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.invariance.answers import Answers
from errlens.analysis.invariance.severities import Cost
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.data.photos.corruptions.kinds import Corruption
from errlens.formats import counted, share

_SHOWN: Final = ("corruption", "family", "n", "error", "low", "high", "more_than_clean")


class SeverityResult(NamedTuple):
    """What corruptions of photos cost.

    `severities` has a row for the clean images and for each corruption and severity, `corruptions`
    one for each corruption, the worst first, and `distances` one for each layer too. `cost` is that
    of all together. `answers` are those about single images. The names of `files` start from
    `folder`.
    """

    severities: pd.DataFrame
    corruptions: pd.DataFrame
    distances: pd.DataFrame
    cost: Cost
    sentences: Sequence[str]
    kinds: Sequence[Corruption]
    answers: Answers
    folder: Path
    files: Sequence[str] = ()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what each corruption costs, and a picture."""
        return shown(repr(self), self.corruptions, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        return f"<{self.in_a_line}>"

    @property
    def in_a_line(self) -> str:
        """What was found."""
        what = "wrong" if self.answers.labelled else "changed"
        return (
            f"{counted(len(self.answers), 'image')}, {counted(len(self.kinds), 'corruption')}: "
            f"{share(self.cost.corrupted.value)} {what}, {self.corruptions['corruption'].iloc[0]} "
            "is worst"
        )

"""What `errlens diagnose` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.findings.finding import Finding, Search, first_of
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted, of

_SHOWN: Final = ("rank", "statement", "n_images", "n_errors", "gain_if_solved")


class Diagnosis(NamedTuple):
    """Why images are wrong.

    `findings` are all that is known of the run, the most errors explained first; `searches` say
    what was looked for; `tables` are the findings and what is behind them, by the names of their
    files.
    `absent` images could not be shown, with the reason by path. The names of `files` start from
    RUN/diagnosis.
    """

    findings: Sequence[Finding]
    searches: Sequence[Search]
    tables: Mapping[str, pd.DataFrame]
    n_images: int
    n_errors: int
    files: Sequence[str] = ()
    absent: Mapping[str, str] = {}
    folder: Path = Path()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the findings, and images of the first."""
        return shown(
            repr(self).splitlines()[-1],
            self.tables["findings"],
            columns=_SHOWN,
            pictures=self.figures,
        )

    def __repr__(self) -> str:
        """Return a few lines for a notebook: the findings to be told first."""
        told = [f"{rank}. {finding.statement}" for rank, finding in first_of(self.findings)]
        wrong = f"{of(self.n_errors, self.n_images)} images wrong"
        return "\n".join([*told, f"<{wrong}, {counted(len(self.files), 'file')} in RUN/diagnosis>"])

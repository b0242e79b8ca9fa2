"""What `errlens diagnose` finds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from errlens.analysis.findings.finding import Finding, Search, first_of
from errlens.formats import counted, of


class Diagnosis(NamedTuple):
    """Why images are wrong.

    `findings` are all that is known of the run, the most errors explained first; `searches` say
    what was looked for; `tables` are those behind the findings, by the names of their files.
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

    def __repr__(self) -> str:
        """Return a few lines for a notebook: the findings to be told first."""
        told = [f"{rank}. {finding.statement}" for rank, finding in first_of(self.findings)]
        wrong = f"{of(self.n_errors, self.n_images)} images wrong"
        return "\n".join([*told, f"<{wrong}, {counted(len(self.files), 'file')} in RUN/diagnosis>"])

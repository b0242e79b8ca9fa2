"""What `errlens confusion` finds."""

from collections.abc import Sequence
from typing import NamedTuple

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.tables import ConfusionTables
from errlens.formats import counted, of


class ConfusionResult(NamedTuple):
    """How often each class was taken for each other one, what is more than chance, and the files.

    The names of `files` start from RUN/confusion.
    """

    matrix: ConfusionMatrix
    tables: ConfusionTables
    files: Sequence[str]

    def __repr__(self) -> str:
        """Return a line for a notebook: what was found, and where its files are."""
        mutual = int((self.tables.pairs["status"] == "mutual").sum())
        wrong = of(self.matrix.n_errors, self.matrix.total)
        files = counted(len(self.files), "file")
        return f"<{wrong} images wrong, {counted(mutual, 'mutual pair')}; {files} in RUN/confusion>"

"""What `errlens confusion` finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.tables import ConfusionTables
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.formats import counted, of

_SHOWN: Final = ("class_a", "class_b", "a_as_b", "b_as_a", "n_a", "n_b", "status")


class ConfusionResult(NamedTuple):
    """How often each class was taken for each other one, what is more than chance, and the files.

    The names of `files` start from RUN/confusion.
    """

    matrix: ConfusionMatrix
    tables: ConfusionTables
    files: Sequence[str]
    folder: Path

    @property
    def counts(self) -> pd.DataFrame:
        """Images by true class (rows) and predicted class (columns).

        Every cell takes room: of ten thousand classes and more, `.matrix.counts` has the few that
        are not zero.
        """
        names = list(self.matrix.classes.names)
        table = pd.DataFrame(self.matrix.counts.toarray(), index=names, columns=names)
        return table.rename_axis(index="true", columns="predicted")

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the first pairs, and the matrix."""
        return shown(repr(self), self.tables.pairs, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook: what was found, and where its files are."""
        mutual = int((self.tables.pairs["status"] == "mutual").sum())
        wrong = of(self.matrix.n_errors, self.matrix.total)
        files = counted(len(self.files), "file")
        return f"<{wrong} images wrong, {counted(mutual, 'mutual pair')}; {files} in RUN/confusion>"

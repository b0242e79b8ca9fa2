"""What `errlens misclassified` finds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.mistakes.image_page import ImagePage
from errlens.analysis.selection.notes import Note
from errlens.commands.notebook.markup import shown
from errlens.commands.notebook.pictures import Pictures, pictures_among
from errlens.commands.options.selecting import Selection
from errlens.data.copies import Copy
from errlens.data.photos.images import Unread
from errlens.formats import count, counted, of
from errlens.run.csv_tables import in_a_line

_SHOWN: Final = ("rank", "path", "label_name", "pred_name", "confidence", "loss")


class Copied(NamedTuple):
    """How many images were copied to a folder, and which could not be, with the reason."""

    folder: Path
    n: int
    failed: Sequence[tuple[Copy, Unread]]


class MisclassifiedTables(NamedTuple):
    """The tables of `errlens misclassified`, None where they were not asked for.

    `worst` has all images that are wrong, or as many as were asked for.
    """

    worst: pd.DataFrame
    collect: pd.DataFrame
    unknown: pd.DataFrame
    systematic: pd.DataFrame | None = None
    notes: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(self._asdict())

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the tables there are, with their names."""
        yield from ((name, table) for name, table in self._asdict().items() if table is not None)


class MisclassifiedResult(NamedTuple):
    """Which images are wrong, and what is known of those that were selected.

    `selected` are the images that are meant; `tables` are all tables, called like their files;
    `pages` tell all about single images. `absent` images could not be shown on the galleries, with
    the reason by path. The names of `files` start from RUN/misclassified.
    """

    matrix: ConfusionMatrix
    selection: Selection
    selected: pd.DataFrame
    tables: MisclassifiedTables
    pages: Sequence[ImagePage]
    notes: Sequence[Note]
    files: Sequence[str] = ()
    absent: Mapping[str, str] = {}
    copied: Copied | None = None
    folder: Path = Path()

    @property
    def figures(self) -> Pictures:
        """The pictures, by their names."""
        return pictures_among(self.folder, self.files)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the worst images, and a gallery."""
        return shown(repr(self), self.selected, columns=_SHOWN, pictures=self.figures)

    def __repr__(self) -> str:
        """Return a line for a notebook: what was found, and where its files are."""
        wrong = of(self.matrix.n_errors, self.matrix.total)
        return (
            f"<{wrong} images wrong, {count(len(self.selected))} selected; "
            f"{counted(len(self.files), 'file')} in RUN/misclassified>"
        )

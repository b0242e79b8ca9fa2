"""What `errlens misclassified` finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.mistakes.image_page import ImagePage
from errlens.analysis.selection.notes import Note
from errlens.commands.options.selecting import Selection
from errlens.data.copies import Copy
from errlens.data.photos.images import Unread


class Copied(NamedTuple):
    """How many images were copied to a folder, and which could not be, with the reason."""

    folder: Path
    n: int
    failed: Sequence[tuple[Copy, Unread]]


class MisclassifiedResult(NamedTuple):
    """Which images are wrong, and what is known of those that were selected.

    `selected` are the images that are meant; `tables` are all tables by the names of their files;
    `pages` tell all about single images. `absent` images could not be shown on the galleries, with
    the reason by path. The names of `files` start from RUN/misclassified.
    """

    matrix: ConfusionMatrix
    selection: Selection
    selected: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    pages: Sequence[ImagePage]
    notes: Sequence[Note]
    files: Sequence[str] = ()
    absent: Mapping[str, str] = {}
    copied: Copied | None = None

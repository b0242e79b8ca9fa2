"""What `errlens confusion` finds."""

from collections.abc import Sequence
from typing import NamedTuple

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.tables import ConfusionTables


class ConfusionResult(NamedTuple):
    """How often each class was taken for each other one, what is more than chance, and the files.

    The names of `files` start from RUN/confusion.
    """

    matrix: ConfusionMatrix
    tables: ConfusionTables
    files: Sequence[str]

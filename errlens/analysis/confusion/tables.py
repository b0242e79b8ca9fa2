"""Everything that a confusion matrix shows, as tables, and as read again from a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pandas as pd

from errlens.analysis.confusion.groups import GROUP_COLUMNS, group_table
from errlens.analysis.confusion.matrix import ConfusionMatrix, cell_table, superclass_table
from errlens.analysis.confusion.pairs import PAIR_COLUMNS, absorbed_table, pair_table
from errlens.documents import parse_json
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.run.csv_tables import Columns, in_a_line
from errlens.run.folder import RunFolder
from errlens.run.results import read_results


class ConfusionTables(NamedTuple):
    """Tables, None where there is nothing to make them of.

    `exceptional` and `soft` take more than the matrix: see the modules of that name.
    """

    cells: pd.DataFrame
    pairs: pd.DataFrame
    absorbed: pd.DataFrame
    groups: pd.DataFrame
    superclasses: pd.DataFrame | None = None
    exceptional: pd.DataFrame | None = None
    soft: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(self._asdict())

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the tables there are, with their names."""
        yield from ((name, table) for name, table in self._asdict().items() if table is not None)


def find_confusions(matrix: ConfusionMatrix) -> ConfusionTables:
    """Return what the matrix alone tells."""
    pairs = pair_table(matrix)
    return ConfusionTables(
        cells=cell_table(matrix),
        pairs=pairs,
        absorbed=absorbed_table(matrix),
        groups=group_table(matrix, pairs),
        superclasses=superclass_table(matrix) if matrix.superclasses else None,
    )


def read_pairs(run: RunFolder) -> list[tuple[int, int]]:
    """Return the classes of each row of pairs.csv.

    Raises:
        NoResults: There is no such file of this run, or it is damaged.
    """
    names = run.info.classes.names
    with _undamaged(run, "pairs.csv", PAIR_COLUMNS) as table:
        ends = zip(table["class_a"], table["class_b"], strict=True)
        return [(names.index(a), names.index(b)) for a, b in ends]


def read_groups(run: RunFolder) -> list[list[int]]:
    """Return the classes of each row of groups.csv.

    Raises:
        NoResults: There is no such file of this run, or it is damaged.
    """
    names = run.info.classes.names
    with _undamaged(run, "groups.csv", GROUP_COLUMNS) as table:
        return [[names.index(name) for name in parse_json(row)] for row in table["classes"]]


@contextmanager
def _undamaged(run: RunFolder, name: str, columns: Columns) -> Iterator[pd.DataFrame]:
    """Read a table of `errlens confusion`; what is wrong with it is that it is damaged."""
    table = read_results(run, "confusion", name, columns)
    try:
        yield table
    except (KeyError, TypeError, ValueError) as error:
        path = run.path / "confusion" / name
        command = shell_line(["errlens", "confusion", run.path])
        raise NoResults(f"{str(path)!r} is damaged", command=command) from error

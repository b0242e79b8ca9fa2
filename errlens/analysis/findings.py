"""Everything that a confusion matrix shows, as tables."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from errlens.analysis.confusion import ConfusionMatrix, cell_table, superclass_table
from errlens.analysis.groups import group_table
from errlens.analysis.pairs import absorbed_table, pair_table


class Findings(NamedTuple):
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

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the tables there are, with their names."""
        yield from ((name, table) for name, table in self._asdict().items() if table is not None)


def find_confusions(matrix: ConfusionMatrix) -> Findings:
    """Return what the matrix alone tells."""
    pairs = pair_table(matrix)
    return Findings(
        cells=cell_table(matrix),
        pairs=pairs,
        absorbed=absorbed_table(matrix, pairs),
        groups=group_table(matrix, pairs),
        superclasses=superclass_table(matrix) if matrix.superclasses else None,
    )

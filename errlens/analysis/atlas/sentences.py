"""What a map of an atlas says, in words."""

from typing import Final

from errlens.analysis.atlas.mapped import AtlasMap
from errlens.formats import count, counted, of, share

_NAMED: Final = 3  # classes


def sentences_of(drawn: AtlasMap) -> list[str]:
    """Return how much of the points is in cells, and which classes most of these speak for."""
    n, inside = len(drawn.points), int((drawn.cells.cell >= 0).sum())
    fullest = drawn.table.iloc[int(drawn.table["n_points"].to_numpy().argmax())]
    cells_of = drawn.table["top_class"].value_counts(sort=False)
    most = sorted(cells_of.items(), key=lambda counted_class: -counted_class[1])
    named = [f"{name} ({count(k)})" for name, k in most[:_NAMED]]
    more = f" and {counted(len(most) - _NAMED, 'more class')}" if len(most) > _NAMED else ""
    return [
        f"{of(inside, n)} points ({share(inside / n)}) lie in {counted(len(drawn), 'cell')}; the "
        f"fullest, in row {fullest['cell_row']} and column {fullest['cell_column']}, has "
        f"{count(int(fullest['n_points']))}.",
        f"Cells by the class that they add the most to: {', '.join(named)}{more}.",
    ]

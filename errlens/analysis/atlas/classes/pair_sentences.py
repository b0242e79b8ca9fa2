"""What a map of two classes says, in words."""

from typing import Any

import pandas as pd

from errlens.analysis.atlas.classes.compared import PairCells, strongest_cells
from errlens.formats import counted, signed


def pair_sentences(cells: pd.DataFrame, found: PairCells, names: tuple[str, str]) -> list[str]:
    """Return which cells speak the most for A, for B and for both, and how many errors they hold.

    Args:
        cells: The map's table.
        found: What its cells come to.
        names: A and B.
    """
    strongest = strongest_cells(found)
    a, b = names
    kinds = {"a": f"For {a} rather than {b}", "b": f"For {b} rather than {a}", "both": "For both"}
    told = []
    for kind, places in strongest.items():
        if not places:
            told.append(f"{kinds[kind]}: no cell.")
            continue
        named = [_cell(cells.iloc[place], found, place, kind) for place in places]
        told.append(f"{kinds[kind]}: {'; '.join(named)}.")
    return told


def _cell(cell: "pd.Series[Any]", found: PairCells, place: int, kind: str) -> str:
    adds = signed(float(found.difference[place]))
    if kind == "both":
        adds = f"{signed(float(found.adds_a[place]))} and {signed(float(found.adds_b[place]))}"
    errors = int(found.n_errors[place])
    confused = f", {counted(errors, 'error')} of the pair" if errors else ""
    return (
        f"row {cell['cell_row']}, column {cell['cell_column']} ({cell['top_class']}; {adds}; "
        f"{counted(int(cell['n_images']), 'photo')}{confused})"
    )

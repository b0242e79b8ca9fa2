"""What `--mark` says."""

import re
from collections.abc import Sequence
from typing import Final

from errlens.analysis.atlas.mapped import AtlasMap
from errlens.errors import UnfitOption
from errlens.formats import counted

_FORM: Final = re.compile(r"\s*(\d{1,4})\s*,\s*(\d{1,4})\s*=(.+)", re.DOTALL | re.ASCII)
_NAMED: Final = 5  # cells


def require_one_map(
    marks: Sequence[str] | None, layers: Sequence[str], *, each: int, what: str
) -> None:
    """Refuse marks where several maps are drawn: `each` of every layer, one for each of `what`.

    Raises:
        UnfitOption: There are several.
    """
    n = len(layers) * each
    if not marks or n == 1:
        return
    ways = [f"--layer {layers[-1]}"] if len(layers) > 1 else []
    ways += [f"one {what} alone"] if each > 1 else []
    raise UnfitOption(
        f"--mark is for one map, and there are {n}: each has cells of its own",
        hint=" and ".join(ways),
    )


def marked(drawn: AtlasMap, marks: Sequence[str] | None) -> list[tuple[int, str]]:
    """Return which cells are framed, by their numbers, and what is written beside each.

    Raises:
        UnfitOption: A mark is not of the form, or there is no such cell.
    """
    number = {place: at for at, place in enumerate(map(tuple, drawn.cells.cells.tolist()))}
    found = []
    for text in marks or ():
        form = _FORM.fullmatch(text)
        if form is None or not form[3].strip():
            raise UnfitOption(
                f"--mark {text!r} is not of the form ROW,COL=CAPTION", hint="as in 3,7=baseball"
            )
        place = (int(form[1]), int(form[2]))
        if place not in number:
            raise _no_cell(text, place, drawn)
        found.append((number[place], form[3].strip()))
    return found


def _no_cell(text: str, place: tuple[int, int], drawn: AtlasMap) -> UnfitOption:
    """Say why a cell cannot be framed, and which ones near it can."""
    grid = drawn.cells.grid
    if max(place) >= grid:
        what = f"rows and columns count from 0 to {grid - 1}"
    else:
        points = counted(int(drawn.cells.counts[place]), "point")
        what = f"that cell is not drawn, for it has {points}"

    def far(cell: tuple[int, int]) -> tuple[int, tuple[int, int]]:
        return (cell[0] - place[0]) ** 2 + (cell[1] - place[1]) ** 2, cell

    cells = sorted(map(tuple, drawn.cells.cells.tolist()), key=far)
    named = " and ".join(f"{row},{column}" for row, column in cells[:_NAMED])
    return UnfitOption(f"--mark {text!r}: {what}", hint=f"cells that are drawn near it: {named}")

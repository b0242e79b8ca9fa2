"""Where a row of a table stands in its file, as who wrote it finds it."""

import csv
from collections.abc import Callable, Collection
from pathlib import Path

from errlens.classes.headers import read_header

PlaceOf = Callable[[int], str]  # of a row, counted from 0


def counted_from_one(row: int) -> str:
    """Call a row by its number, where a file has no lines.

    >>> counted_from_one(0)
    'row 1 (counted from 1)'
    """
    return f"row {row + 1} (counted from 1)"


def line_in_file(path: Path, row: int, *, wanted: Collection[str]) -> str:
    """Call a row of a text table by its line in the file, of a parquet file by its number.

    The file is read once more for it: it is what only messages need. A spreadsheet shows the line
    as a row of the same number, unless cells before it hold line breaks.

    Args:
        path: The file.
        row: Counted from 0, below the header, without lines that are empty.
        wanted: As for `read_header`.
    """
    if path.suffix.lower() == ".parquet":
        return counted_from_one(row)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = read_header(lines, wanted=wanted)
        lines.seek(0)
        cells_of = csv.reader(lines, delimiter=header.delimiter)
        start, left = 1, row
        for cells in cells_of:
            is_empty = len(cells) < 2 and not "".join(cells).strip()
            if start > header.lines and not is_empty:
                if not left:
                    return f"line {start}"
                left -= 1
            start = cells_of.line_num + 1
    return counted_from_one(row)

"""Read csv and parquet tables with every column as the file has it, and turn columns into values.

Text files are read as text and by all cores: a column of probabilities for each of a thousand
classes is half a gigabyte.
"""

import csv
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from errlens.classes.headers import read_header, tidied_headers
from errlens.classes.spelling import tidied
from errlens.errors import BadPredictions, MissingInput, some
from errlens.run.tables import open_parquet

TEXT_SUFFIXES: Final = (".csv", ".tsv", ".txt")
TABLE_SUFFIXES: Final = (*TEXT_SUFFIXES, ".parquet")
_OTHER_LENGTH: Final = re.compile(r"Expected (\d+) columns, got (\d+)")
_NAMELESS: Final = re.compile(r"(Unnamed: \d+)?")  # what pandas makes of a column without a name


def read_table(path: Path, *, wanted: Collection[str], what: str = "TABLE") -> pa.Table:
    """Read a table; in a text file, what is empty is null and all else is text.

    Columns without a name that are empty, or number the rows as pandas does, are left out.

    Args:
        path: A csv, tsv or parquet file.
        wanted: Names that some columns should have; they tell the delimiter of a text file.
        what: What to call it in a message.

    Raises:
        MissingInput: There is no such file.
        BadPredictions: It cannot be read, has no rows, or two columns have the same name.
    """
    if not path.is_file():
        raise MissingInput(path, what=what, suffixes=TABLE_SUFFIXES)
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise BadPredictions(
            f"{what} {str(path)!r} is none of {', '.join(TABLE_SUFFIXES)}",
            hint="a spreadsheet saves it as CSV UTF-8" if "xls" in path.suffix.lower() else "",
        )
    try:
        table = _read_text(path, wanted) if is_text(path) else _read_parquet(path)
    except (OSError, UnicodeDecodeError, pa.ArrowException, csv.Error) as error:
        raise BadPredictions(
            f"{what} {str(path)!r} cannot be read: {error}", hint=_way_out(error)
        ) from error
    table = _without_nameless(table)
    table = table.rename_columns(tidied_headers(table.column_names, wanted=wanted))
    repeated = [name for name, count in Counter(table.column_names).items() if count > 1]
    if repeated:
        raise BadPredictions(f"{what} {str(path)!r} has several columns called {some(repeated)}")
    if not table.num_rows:
        raise BadPredictions(f"{what} {str(path)!r} has no rows")
    return table


def _way_out(error: Exception) -> str:
    """Say what helps against an error of the reader, where that is known."""
    if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
        return "save it as UTF-8; a spreadsheet calls that CSV UTF-8"
    if cells := _OTHER_LENGTH.search(str(error)):
        longer = int(cells[2]) > int(cells[1])
        return (
            "put what holds a comma, a decimal one too, into quotes, or a ; between columns"
            if longer
            else "a row ends too soon: was the file written to its end?"
        )
    return ""


def blank_rows(table: pa.Table) -> NDArray[np.int64]:
    """Return the rows in which nothing stands, or only blanks.

    >>> blank_rows(pa.table({"path": ["a", " ", None], "label": ["x", None, "y"]}))
    array([1])
    """
    rows = np.arange(len(table))
    for column in table.columns:
        if not len(rows):
            break
        rows = rows[_is_blank(column.take(pa.array(rows)))]
    return rows


def is_text(path: Path) -> bool:
    """Tell whether a table is text, whose numbers were rounded when they were written."""
    return path.suffix.lower() in TEXT_SUFFIXES


def texts(table: pa.Table, name: str) -> list[str | None]:
    """Return the values of a column as text, what is missing or empty as None.

    >>> texts(pa.table({"label": [3.0, None, 1.0]}), "label")
    ['3', None, '1']

    Raises:
        BadPredictions: The column holds lists, bytes or the like.
    """
    try:
        values: list[str | None] = pc.cast(table[name], pa.string()).to_pylist()
    except pa.ArrowException as error:
        raise BadPredictions(f"column {name!r} should hold text or numbers: {error}") from error
    return [value or None for value in values]


def _is_blank(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    missing = column.is_null()
    if pa.types.is_string(column.type):
        missing = pc.or_kleene(missing, pc.equal(pc.utf8_trim_whitespace(column), ""))
    blank: NDArray[np.bool_] = missing.to_numpy()
    return blank


def _without_nameless(table: pa.Table) -> pa.Table:
    """Leave out columns without a name that say nothing: what a comma at the end of lines makes."""
    kept = [
        at
        for at, name in enumerate(table.column_names)
        if not _NAMELESS.fullmatch(tidied(name)) or not _says_nothing(table.column(at))
    ]
    return table if len(kept) == table.num_columns else table.select(kept)


def _says_nothing(column: pa.ChunkedArray) -> bool:
    """Tell whether a column is empty, or numbers its rows from 0 or 1 on."""
    if _is_blank(column).all():
        return True
    cells = [str(cell) for cell in column.to_pylist()]
    return any(
        cells == [str(number) for number in range(first, first + len(cells))] for first in (0, 1)
    )


def _read_parquet(path: Path) -> pa.Table:
    with open_parquet(path) as file:
        return file.read()


def _read_text(path: Path, wanted: Collection[str]) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = read_header(lines, wanted=wanted)
        rest = csv.reader(lines, delimiter=header.delimiter)
        first = next((cells for cells in rest if cells), [])
    # Where lines end in delimiters that the header lacks, its columns go on without a name.
    beyond = first[len(header.columns) :]
    more = [] if any(beyond) else beyond
    return pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(
            skip_rows=header.lines if more else header.lines - 1,
            column_names=[*header.columns, *more] if more else None,
        ),
        parse_options=pa_csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header.columns, pa.string()),
            null_values=[""],  # a class may be called NA
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )

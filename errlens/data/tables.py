"""Read csv and parquet tables with every column as the file has it, and turn columns into values.

Text files are read as text and by all cores: a column of probabilities for each of a thousand
classes is half a gigabyte.
"""

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from errlens.classes.headers import read_header, tidied_headers
from errlens.errors import BadPredictions, MissingInput, some
from errlens.run.tables import open_parquet

TEXT_SUFFIXES: Final = (".csv", ".tsv", ".txt")
TABLE_SUFFIXES: Final = (*TEXT_SUFFIXES, ".parquet")


def read_table(path: Path, *, wanted: Collection[str]) -> pa.Table:
    """Read a table; in a text file, what is empty is null and all else is text.

    Args:
        path: A csv, tsv or parquet file.
        wanted: Names that some columns should have; they tell the delimiter of a text file.

    Raises:
        MissingInput: There is no such file.
        BadPredictions: It cannot be read, has no rows, or two columns have the same name.
    """
    if not path.is_file():
        raise MissingInput(path, what="TABLE")
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise BadPredictions(f"TABLE {str(path)!r} is none of {', '.join(TABLE_SUFFIXES)}")
    try:
        table = _read_text(path, wanted) if is_text(path) else _read_parquet(path)
    except (OSError, UnicodeDecodeError, pa.ArrowException, csv.Error) as error:
        encoding = isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)
        raise BadPredictions(
            f"TABLE {str(path)!r} cannot be read: {error}",
            hint="save it as UTF-8; a spreadsheet calls that CSV UTF-8" if encoding else "",
        ) from error
    table = table.rename_columns(tidied_headers(table.column_names, wanted=wanted))
    repeated = [name for name, count in Counter(table.column_names).items() if count > 1]
    if repeated:
        raise BadPredictions(f"TABLE {str(path)!r} has several columns called {some(repeated)}")
    if not table.num_rows:
        raise BadPredictions(f"TABLE {str(path)!r} has no rows")
    return table


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


def numbers(table: pa.Table, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return columns as an array of shape (rows, columns), NaN where a value is missing.

    Raises:
        BadPredictions: A value is no number.
    """
    return np.column_stack([_numbers(table, name) for name in columns])


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
    try:
        values: NDArray[np.float64] = pc.cast(column, pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row, value = next(
            ((row, value) for row, value in enumerate(column.to_pylist()) if not _is_number(value)),
            (0, column[0].as_py()),
        )
        raise BadPredictions(
            f"column {name!r} should hold numbers, but row {row} holds {value!r}"
        ) from error
    return values


def _is_number(value: object) -> bool:
    try:
        return value is None or float(str(value)) is not None
    except ValueError:
        return False


def _read_parquet(path: Path) -> pa.Table:
    with open_parquet(path) as file:
        return file.read()


def _read_text(path: Path, wanted: Collection[str]) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = read_header(lines, wanted=wanted)
    return pa_csv.read_csv(
        path,
        parse_options=pa_csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header.columns, pa.string()),
            null_values=[""],  # a class may be called NA
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )

r"""Tables as csv files: a spreadsheet opens them as text and numbers, and they are read back whole.

Whoever makes a table declares what its columns hold, as `Columns`, beside the code that makes it;
whoever reads it back names that declaration.

A cell of text that a spreadsheet would calculate, such as a class called `=1+1`, gets an apostrophe
in front, as a person would type it there. So does one that starts with an apostrophe: then the
first one can always be taken away again. A cell that holds what cannot be seen, as a line break or
an escape sequence, is written in the quotes and escapes of bash and zsh: `$'a\x1bb'`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from errlens.errors import some
from errlens.escapes import cell, is_escaped, is_printable, text_of
from errlens.formats import counted

Columns = Mapping[str, str]  # what each column holds, by its name

TEXT: Final = "text"
WHOLE: Final = "whole number"  # never missing; all others may be
NUMBER: Final = "number"
ANY_NUMBER: Final = "number or infinity"
TRUTH: Final = "true or false"

# The starts of a formula, wide forms included (OWASP, CSV Injection); and the apostrophe.
_MARKED: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20'")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table; missing values are empty cells."""
    quoted = table.rename(columns=_quoted)
    for name in quoted.columns:
        if pd.api.types.is_string_dtype(quoted[name].dtype):
            quoted[name] = _quoted_cells(quoted[name])
    # Ten times as fast as pandas, which counts at a thousand classes.
    with path.open("wb") as file:  # pyarrow by itself takes no path that is not UTF-8
        pyarrow.csv.write_csv(pa.Table.from_pandas(quoted, preserve_index=False), file)


def read_csv(path: Path, *, text: Collection[str]) -> pd.DataFrame:
    """Read what `write_csv` wrote; `text` names the columns that are text, whatever they hold.

    Raises:
        ValueError: It is no such table.
    """
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("it is no file")
    # A class may be called NA or 007.
    dtype: dict[Any, Any] = dict.fromkeys(text, "str")
    table = pd.read_csv(path, dtype=dtype, keep_default_na=False, na_values=[""])
    for name in table.columns.intersection(list(text)):
        texts = table[name].map(unquoted, na_action="ignore")
        table[name] = texts.astype(table[name].dtype)
    return table


def read_declared(
    path: Path, columns: Columns, *, required: Collection[str] | None = None
) -> pd.DataFrame:
    """Read what `write_csv` wrote, with at least the columns required: by default all of these.

    Raises:
        ValueError: It is no such table.
    """
    table = read_csv(path, text=[name for name, kind in columns.items() if kind == TEXT])
    missing = sorted({*(columns if required is None else required)} - {*table})
    if missing:
        raise ValueError(f"it has no column {some(missing)}")
    for name, kind in columns.items() if len(table) else ():
        if name in table and not _holds(table[name], kind):
            raise ValueError(f"{name!r} should hold: {kind}")
    return table


def _holds(column: pd.Series, kind: str) -> bool:
    """Tell whether a column as it was read holds nothing else than its kind."""
    if kind == TEXT:
        return True
    if kind == TRUTH:
        return set(column.dropna()) <= {True, False}
    if kind == WHOLE:
        return pd.api.types.is_integer_dtype(column.dtype)
    is_number = pd.api.types.is_numeric_dtype(column.dtype)
    return is_number and (kind == ANY_NUMBER or not np.isinf(column).any())


def _quoted(text: str) -> str:
    r"""Return a cell that no spreadsheet calculates, and that holds nothing unseen.

    >>> _quoted("=HYPERLINK(1)"), _quoted("-1"), _quoted("cat")
    ("'=HYPERLINK(1)", "'-1", 'cat')
    >>> print(_quoted("=1\n"), _quoted("$'as it is'"), sep=", ")
    $'=1\n', '$'as it is'
    """
    if not is_printable(text):
        return cell(text)
    return f"'{text}" if text.startswith(_MARKED) or is_escaped(text) else text


def unquoted(written: str) -> str:
    """Return what a cell of text held before it was written.

    >>> unquoted("'=1+1"), unquoted("cat")
    ('=1+1', 'cat')
    """
    return written[1:] if written.startswith("'") else text_of(written)


def _quoted_cells(cells: pd.Series) -> pd.Series:
    texts = cells.dropna()
    plain = is_printable("".join(map(str, texts)))
    if plain and not texts.str.startswith((*_MARKED, "$")).any():
        return cells
    return cells.map(_quoted, na_action="ignore").astype(cells.dtype)


def in_a_line(tables: Mapping[str, pd.DataFrame | None]) -> str:
    """Name tables and how long they are, for a notebook that would print all of them.

    >>> in_a_line({"worst": pd.DataFrame({"row": [4, 7]}), "notes": None})
    '<worst: 2 rows>'
    """
    there = (
        f"{name}: {counted(len(table), 'row')}"
        for name, table in tables.items()
        if table is not None
    )
    return f"<{', '.join(there)}>"

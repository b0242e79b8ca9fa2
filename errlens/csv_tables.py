"""Tables as csv files: a spreadsheet opens them as text and numbers, and they are read back whole.

A cell of text that a spreadsheet would calculate, such as a class called `=1+1`, gets an apostrophe
in front, as a person would type it there. So does one that starts with an apostrophe: then the
first one can always be taken away again.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.csv

# The starts of a formula, wide forms included (OWASP, CSV Injection); and the apostrophe.
_MARKED: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table; missing values are empty cells."""
    quoted = table.rename(columns=_quoted)
    for name in quoted.columns:
        if pd.api.types.is_string_dtype(quoted[name].dtype):
            quoted[name] = _quoted_cells(quoted[name])
    # Ten times as fast as pandas, which counts at a thousand classes.
    pyarrow.csv.write_csv(pa.Table.from_pandas(quoted, preserve_index=False), path)


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
        marked = table[name].str.startswith("'", na=False)
        table[name] = table[name].where(~marked, table[name].str[1:])
    return table


def _quoted(cell: str) -> str:
    """Return a cell that no spreadsheet calculates.

    >>> _quoted("=HYPERLINK(1)"), _quoted("-1"), _quoted("cat")
    ("'=HYPERLINK(1)", "'-1", 'cat')
    """
    return f"'{cell}" if cell.startswith(_MARKED) else cell


def _quoted_cells(cells: pd.Series) -> pd.Series:
    marked = cells.str.startswith(_MARKED, na=False)
    return cells.where(~marked, "'" + cells) if marked.any() else cells

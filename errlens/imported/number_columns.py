"""Columns of numbers as programs and spreadsheets write them: 0.93, 0,93 and 93 %."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.data.file_rows import PlaceOf, counted_from_one
from errlens.errors import BadPredictions

# What programs write where there is no number, folded: pandas' list, and a spreadsheet's words.
_MISSING: Final = frozenset(
    ("", "-", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "#num!",
     "#div/0!", "#value!")
)  # fmt: skip
_WITH_COMMA: Final = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # or three digits of a fraction
_PLAIN: Final = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE)
_ONE_MARK: Final = (
    "write all numbers of a column alike, with a dot or a comma before the decimals and nothing "
    "between thousands"
)


class Numbers(NamedTuple):
    """Numbers of shape (rows, columns), NaN where there is none.

    `unread` holds, by row, a column where something else stands, and what.
    """

    values: NDArray[np.float64]
    unread: dict[int, tuple[str, str]]


def read_numbers(
    table: pa.Table, columns: Sequence[str], place_of: PlaceOf = counted_from_one
) -> Numbers:
    """Read columns of numbers.

    In a column of text, all numbers may have a decimal comma, or a percent sign: `93 %` is 0.93.
    What stands for nothing, like `NA`, is a missing value. `place_of` says where a row stands in
    the file, for messages.

    Raises:
        BadPredictions: A column writes its numbers in two ways, or in one that may mean two things.
    """
    values: list[NDArray[np.float64]] = []
    unread: dict[int, tuple[str, str]] = {}
    for name in columns:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = pc.cast(column, column.type.value_type)
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if is_text:
            column = pc.utf8_trim_whitespace(column)
        try:
            plain = _with_dots(column) if is_text else column
            values.append(pc.cast(plain, pa.float64()).to_numpy())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            if not is_text:
                raise BadPredictions(
                    f"column {name!r} should hold numbers, not {column.type}"
                ) from error
            numbers, others = _numbers(name, column.to_pylist(), place_of)
            values.append(numbers)
            for row, cell in others.items():
                unread.setdefault(row, (name, cell))
    return Numbers(np.column_stack(values), unread)


def _with_dots(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of text with dots for commas, if all its numbers may have decimal commas.

    This is the fast way, for columns in which nothing else needs to be said of any cell.
    """
    has_comma = pc.match_substring(column, ",")
    if not pc.any(has_comma).as_py() or pc.any(pc.match_substring(column, ".")).as_py():
        return column
    may_be_thousands = pc.match_substring_regex(column.filter(has_comma), f"^{_THOUSANDS.pattern}$")
    return column if pc.all(may_be_thousands).as_py() else pc.replace_substring(column, ",", ".")


def _numbers(
    name: str, cells: Sequence[str | None], place_of: PlaceOf
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Return the numbers of a column of text, and what else stands there, by row."""
    known = {
        row: cell.replace("\u2212", "-")
        for row, cell in enumerate(cells)
        if cell is not None and cell.casefold() not in _MISSING
    }
    shares = {row: cell[:-1].rstrip() for row, cell in known.items() if cell.endswith("%")}
    percent = {row: cell for row, cell in shares.items() if _is_number(cell)}
    if percent:
        others = [row for row, cell in known.items() if row not in percent and _is_number(cell)]
        _refuse_second_way(name, cells, percent, others, "percentages", place_of)
        known = {**known, **percent}
    commas = [row for row, cell in known.items() if _WITH_COMMA.fullmatch(cell)]
    if commas:
        dots = [row for row, cell in known.items() if "." in cell and _is_number(cell)]
        _refuse_second_way(name, cells, commas, dots, "decimal commas", place_of)
        if all(_THOUSANDS.fullmatch(known[row]) for row in commas):
            cell = known[commas[0]]
            raise BadPredictions(
                f"column {name!r}: {cell!r} in {place_of(commas[0])} may be "
                f"{cell.replace(',', '.')} or {cell.replace(',', '')}",
                hint=_ONE_MARK,
            )
    values = np.full(len(cells), np.nan)
    unread: dict[int, str] = {}
    for row, cell in known.items():
        if _is_number(cell):
            values[row] = float(cell.replace(",", ".")) / (100 if row in percent else 1)
        else:
            unread[row] = str(cells[row])
    return values, unread


def _is_number(cell: str) -> bool:
    return bool(_PLAIN.fullmatch(cell) or _WITH_COMMA.fullmatch(cell))


def _refuse_second_way(
    name: str,
    cells: Sequence[str | None],
    first: Iterable[int],
    second: Iterable[int],
    what: str,
    place_of: PlaceOf,
) -> None:
    """Raise an error where some numbers of a column are written in one way, and some in another."""
    others = sorted(second)
    if others:
        row, other = min(first), others[0]
        raise BadPredictions(
            f"column {name!r} has {what} in some rows and none in others: {place_of(row)} holds "
            f"{cells[row]!r}, {place_of(other)} {cells[other]!r}",
            hint=_ONE_MARK,
        )

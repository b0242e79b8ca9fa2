"""Tables of images that a command wrote, perhaps changed by a person, and the rows they name."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from errlens.classes.spelling import as_number
from errlens.data.tables import blank_rows, read_table, texts
from errlens.errors import BadPredictions, InputError, did_you_mean, nearest, some
from errlens.run.csv_tables import unquoted

ROW_COLUMNS: Final = ("sample_id", "row", "path")  # each names the images of a run


@dataclass(frozen=True)
class WrittenTable:
    """The columns of a table as text, None where a cell is empty, and the file for messages."""

    path: Path
    columns: Mapping[str, Sequence[str | None]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def at(self, lines: Sequence[int]) -> "WrittenTable":
        """Return some lines of the table."""
        columns = {name: [cells[at] for at in lines] for name, cells in self.columns.items()}
        return WrittenTable(self.path, columns)

    def rows_of(self, images: pa.Table, *, fault: type[InputError] = InputError) -> list[int]:
        """Return the row of the run that each line is about.

        The `sample_id` says so where there is one, for rows are numbered anew in another run; else
        the number of the row, else the path.

        Args:
            images: Of the run, one row each, with `sample_id` and `path` where these are known.
            fault: The kind of error to raise.

        Raises:
            InputError: There is no such column, or the run lacks an image.
        """
        key = next((name for name in ROW_COLUMNS if name in self.columns), None)
        if key is None:
            raise fault(
                f"{str(self.path)!r} has no column {' or '.join(ROW_COLUMNS)} that says which "
                f"images it is about; it has {some(list(self.columns))}"
            )
        known = _rows_by(key, images)
        cells = [_as_key(cell or "", key, known) for cell in self.columns[key]]
        unknown = [cell for cell in cells if cell not in known]
        if unknown:
            raise fault(
                f"{str(self.path)!r} names images that the run does not have: {key} "
                f"{some(unknown)}",
                hint=self._way_out(key, nearest(unknown[0], known), len(images)),
            )
        return [known[cell] for cell in cells]

    def _way_out(self, key: str, near: Sequence[str], n: int) -> str:
        last = f"the last row of the run is {n - 1}"
        if key == "row":
            return last
        if "row" in self.columns:
            return f"without the column {key} the numbers of the rows count; {last}"
        return did_you_mean(near)


def read_written_table(
    path: Path, *, wanted: Collection[str], fault: type[InputError] = InputError
) -> WrittenTable:
    """Read a table that a command wrote, as it is or as a spreadsheet saved it.

    Any delimiter will do, and parquet; blank rows are passed over. The apostrophe before what a
    spreadsheet would calculate is taken away again.

    Args:
        path: A csv, tsv, txt or parquet file.
        wanted: Names that some columns should have; they tell the delimiter.
        fault: The kind of error to raise.

    Raises:
        MissingInput: There is no such file.
        InputError: It is no table.
    """
    try:
        table = read_table(path, wanted=wanted, what="table")
    except BadPredictions as error:
        raise fault(str(error), hint=error.hint) from error
    blank = {*blank_rows(table).tolist()}
    rows = [row for row in range(len(table)) if row not in blank]
    table = table.take(pa.array(rows, pa.int64()))
    columns: dict[str, list[str | None]] = {}
    for name in table.column_names:
        if not _is_plain(table[name].type):  # of predictions; names no image and no class
            continue
        cells = texts(table, name)
        columns[name] = [cell if cell is None else unquoted(cell.strip()) or None for cell in cells]
    return WrittenTable(path, columns)


def _is_plain(kind: pa.DataType) -> bool:
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return not (pa.types.is_nested(kind) or any(is_kind(kind) for is_kind in binary))


def _rows_by(key: str, images: pa.Table) -> dict[str, int]:
    """Return the row of each image by its number, its id, or its path where no other one has it."""
    if key == "row":
        return {str(row): row for row in range(len(images))}
    names = images[key].to_pylist() if key in images.column_names else []
    times = Counter(names)
    return {name: row for row, name in enumerate(names) if times[name] == 1}


def _as_key(cell: str, key: str, known: Collection[str]) -> str:
    """Return a cell as rows are named.

    A spreadsheet may have made 7.0 of 7; a path may start farther up than those of the run, and be
    written as Windows does.
    """
    if key == "row":
        number = as_number(cell)
        return cell if number is None else str(number)
    if key == "sample_id" or cell in known:
        return cell
    parts = cell.replace("\\", "/").split("/")
    ends = ("/".join(parts[at:]) for at in range(len(parts)))
    return next((end for end in ends if end in known), cell)

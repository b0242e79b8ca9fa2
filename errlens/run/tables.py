"""The tables and arrays of a run, read and checked: the plan, and the parts of the predictions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from errlens.documents import BadDocument, parse_json
from errlens.errors import IncompleteRun
from errlens.formats import counted
from errlens.predictions.soundness import unsound
from errlens.predictions.table import SCHEMA, Predictions
from errlens.run.identity import RunInfo, afresh, resume

PLAN_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("sample_id", pa.string()),
        ("path", pa.string()),
        ("split", pa.string()),
        ("label_name", pa.string()),  # as the data spell it
        ("size_bytes", pa.int64()),
        ("shard", pa.int32()),
    ]
)


@contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file to read some of its columns, or what it says of itself.

    Raises:
        OSError: It cannot be read.
        pyarrow.ArrowException: It is no such file.
    """
    # pyarrow by itself takes no path that is not UTF-8.
    with path.open("rb") as file, pq.ParquetFile(file) as opened:
        yield opened


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table."""
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")


def read_columns(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read some columns of a parquet file, or all of them, and make sure that it is whole.

    Raises:
        ValueError: It is no parquet file, is damaged, or lacks a column.
    """
    if not path.is_file():  # pyarrow would read all files of a folder, and wait for a pipe
        raise ValueError("it is not there, or is no file")
    try:
        with open_parquet(path) as file:
            names = file.schema_arrow.names if columns is None else list(columns)
            table = file.read(columns=names, use_threads=False).select(names)
        table.validate(full=True)  # what is said to be UTF-8 may be anything
    except (OSError, KeyError, ValueError, MemoryError, pa.ArrowException) as error:
        raise ValueError(" ".join(str(error).split())) from error
    return table


def read_plan(path: Path, columns: Sequence[str] = tuple(PLAN_SCHEMA.names)) -> pa.Table:
    """Read some columns of the plan, `shard` among them.

    Raises:
        IncompleteRun: It is not there, or damaged.
    """
    if not path.exists():
        raise IncompleteRun(f"{str(path.parent)!r} has no plan", hint=afresh(path.parent))
    try:
        wanted = pa.schema([PLAN_SCHEMA.field(name) for name in columns])
        table = read_columns(path, columns).cast(wanted)
    except (ValueError, pa.ArrowException) as error:
        raise _damaged_table(path, error) from error
    if problem := _problem_of_plan(table):
        raise _damaged_table(path, problem)
    return table


def rows_of_shards(plan: pa.Table) -> list[range]:
    """Return the rows of each shard, first shard first."""
    ends = np.cumsum(np.bincount(plan["shard"].to_numpy())).tolist()
    return [range(start, stop) for start, stop in zip([0, *ends], ends, strict=False)]


def read_part(path: Path, columns: Sequence[str], info: RunInfo, rows: range) -> Predictions:
    """Read some columns of the predictions of some rows.

    Raises:
        IncompleteRun: They are not there, or damaged.
    """
    wanted = pa.schema([SCHEMA.field(name) for name in columns])
    try:
        table = read_columns(path, columns).replace_schema_metadata(None)
        # Parquet calls the items of a list otherwise, which only a strict comparison sees.
        as_wanted = table.schema.equals(wanted, check_metadata=True)
        table = table if as_wanted else table.cast(wanted)
    except (ValueError, pa.ArrowException) as error:
        raise _damaged(path, str(error)) from error
    if len(table) != len(rows):
        raise _damaged(path, f"it has {counted(len(table), 'row')}, the plan {len(rows)}")
    if problem := unsound(table, info.classes, info.superclasses, first_row=rows.start):
        raise _damaged(path, problem)
    return Predictions(table, info.classes, info.superclasses)


def origin_of_part(path: Path, rows: range) -> dict[str, Any] | None:
    """Return what a part says of its making; None if it is not there or not whole."""
    if not path.is_file():
        return None
    try:
        with open_parquet(path) as file:
            footer = file.metadata
        metadata = footer.metadata or {}
        made_by = parse_json(metadata.get(b"errlens", b"{}").decode())
        names = footer.schema.to_arrow_schema().names
    except (OSError, ValueError, MemoryError, pa.ArrowException, BadDocument):
        return None
    whole = footer.num_rows == len(rows) and names == SCHEMA.names and isinstance(made_by, dict)
    return made_by if whole else None


def read_sidecar(path: Path, *, n_rows: int, width: int | None) -> NDArray[np.float16]:
    """Read logits or features, shape (n_rows, width); the width of features is not known.

    Raises:
        IncompleteRun: They are not there, or damaged.
    """
    try:
        if path.is_file():
            values: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
            if values.dtype == np.float16 and values.shape == (n_rows, width or values.shape[-1]):
                return values
    except (OSError, ValueError, EOFError, TypeError, IndexError, SyntaxError):
        pass  # numpy reads the header of a file as Python, whatever it holds
    raise _damaged(path, "no such numbers are in it" if path.is_file() else "it is not there")


def read_extra(path: Path, *, n_rows: int) -> pd.DataFrame:
    """Read further columns of a manifest, one row a row of the plan.

    Raises:
        IncompleteRun: They are damaged.
    """
    try:
        table = read_columns(path)
        if table.column_names[:1] != ["row"] or len(table) != n_rows:
            raise ValueError("its rows are not those of the plan")
        further: pd.DataFrame = table.drop_columns("row").to_pandas()
    except (ValueError, pa.ArrowException) as error:
        raise _damaged_table(path, error) from error
    return further


def _problem_of_plan(plan: pa.Table) -> str | None:
    """Return what is wrong with a plan, None if nothing is."""
    for name in set(plan.column_names) & {"row", "sample_id", "path", "shard"}:
        if plan[name].null_count:
            return f"{name} is missing somewhere"
    shards = plan["shard"].to_numpy()
    if not len(shards):
        return "it has no rows"
    if shards[0] != 0 or not np.isin(np.diff(shards), (0, 1)).all():
        return "the shards are not in order"
    if "row" in plan.column_names and (plan["row"].to_numpy() != np.arange(len(plan))).any():
        return "the rows are not numbered"
    return None


def _damaged_table(path: Path, problem: object) -> IncompleteRun:
    """Say that a table of all rows cannot be used; nor then can the parts that follow it."""
    return IncompleteRun(f"{str(path)!r} is damaged: {problem}", hint=afresh(path.parent))


def _damaged(path: Path, problem: str) -> IncompleteRun:
    """Say that a file of one part cannot be used: without it, the part is made again."""
    what = f"{str(path)!r} is damaged: {problem}"
    return IncompleteRun(what, hint=f"remove it; {resume(path.parent.parent)}")

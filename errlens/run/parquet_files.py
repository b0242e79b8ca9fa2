"""Tables as parquet files, wherever they lie: pyarrow by itself takes no path that is not UTF-8."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(path: Path, **how: Any) -> pa.Table:
    """Read a table; `how` goes to `pyarrow.parquet.read_table`.

    Raises:
        OSError: It cannot be read.
        pyarrow.ArrowException: It is no such file.
    """
    with path.open("rb") as file:
        return pq.read_table(file, **how)


@contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file to read some of its columns, or what it says of itself; errors as above."""
    with path.open("rb") as file, pq.ParquetFile(file) as opened:
        yield opened


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table."""
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")

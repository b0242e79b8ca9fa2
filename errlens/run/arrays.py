"""Arrays that are written row by row, so that no more than a few rows are held."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


class GrowingArray:
    """A float32 array in a file of numpy's, to which rows are appended; `n` is how many it has."""

    def __init__(self, file: BinaryIO, width: int) -> None:
        self._file, self._width = file, width
        self.n = 0
        self.write_header()

    def append(self, rows: NDArray[np.float32]) -> None:
        """Append rows, shape (n, width)."""
        if rows.ndim != 2 or rows.shape[1] != self._width:
            raise ValueError(f"rows of {self._width} values, not an array of {rows.shape}")
        self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
        self.n += len(rows)

    def write_header(self) -> None:
        """Write what the file holds before its values; numpy leaves room for the rows to grow."""
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(
            self._file,
            {"descr": "<f4", "fortran_order": False, "shape": (self.n, self._width)},
        )


@contextmanager
def growing_array(path: Path, width: int) -> Iterator[GrowingArray]:
    """Write an array row by row; at the end of the block the file says how many there are."""
    with path.open("wb") as file:
        array = GrowingArray(file, width)
        yield array
        array.write_header()

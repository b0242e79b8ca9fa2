"""Values of a column that become Python objects when they are asked for."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, overload

import pyarrow as pa

_AT_ONCE: Final = 65_536  # values


class Values(Sequence[Any]):
    """The values of a column of a table: a million paths take ten times less than as objects.

    >>> paths = Values(pa.chunked_array([["a.png"], ["b.png", "c.png"]]))
    >>> len(paths), paths[1], paths[-1], list(paths), "b.png" in paths[:1]
    (3, 'b.png', 'c.png', ['a.png', 'b.png', 'c.png'], False)
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self._column[place].as_py() for place in range(*at.indices(len(self)))]
        return self._column[int(at)].as_py()

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self._column.slice(start, _AT_ONCE).to_pylist()

"""Read the points of an atlas some at a time, for they may be more than memory holds."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

_AT_ONCE: Final = 2**21  # numbers


def parts_of(values: NDArray[np.floating], n: int | None = None) -> Iterator[slice]:
    """Yield slices of `n` rows, by default of all that an array of shape (n, width) has.

    >>> len(list(parts_of(np.zeros((5, 3))))), list(parts_of(np.zeros((0, 3))))
    (1, [])
    """
    total = len(values) if n is None else n
    step = max(1, _AT_ONCE // max(1, values.shape[1]))
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))

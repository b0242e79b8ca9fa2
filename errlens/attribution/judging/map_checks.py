"""What a map gives away of itself: that it says nothing, or the same of every image."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

EMPTY: Final = "empty"
CONSTANT: Final = "constant"
ALIKE: Final = "alike"
POOR_FIT: Final = "poor fit"

LEAST_IMAGES: Final = 4  # that can be said to look alike
MOST_CELLS: Final = 16
ALIKE_FROM: Final = 0.98  # correlation with the mean of the other maps


def map_flags(maps: Sequence[NDArray[np.float32]]) -> list[str]:
    """Return a flag for each of the maps that one method made of different images.

    `empty`: all zero. `constant`: one value everywhere. `alike`: of at least four images, nearly
    the same map as the mean of the others, so that it shows the network rather than the image. Else
    an empty text. Large maps are compared as small ones.

    >>> map_flags([np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)])
    ['empty', 'constant']
    """
    flags = [_own_flag(values) for values in maps]
    small = [shrunk(values) for values in maps]
    for shape in {cells.shape for cells in small}:
        places = [at for at, cells in enumerate(small) if cells.shape == shape and not flags[at]]
        for at in _alike(small, places):
            flags[at] = ALIKE
    return flags


def shrunk(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means over blocks, at most 16 a side, so that many maps can be held.

    What is zero or constant stays so; nothing else becomes it but by a rare accident.
    """
    means = values.astype(np.float64)
    for axis in (0, 1):
        size = values.shape[axis]
        starts = np.linspace(0, size, min(size, MOST_CELLS), endpoint=False).astype(int)
        counts = np.diff([*starts, size])
        shape = (-1, 1) if axis == 0 else (1, -1)
        means = np.add.reduceat(means, starts, axis=axis) / counts.reshape(shape)
    return means.astype(np.float32)


def _own_flag(values: NDArray[np.float32]) -> str:
    if not values.any():
        return EMPTY
    return CONSTANT if values.size > 1 and np.ptp(values) == 0 else ""


def _alike(maps: Sequence[NDArray[np.float32]], places: list[int]) -> list[int]:
    """Return the places of the maps that resemble the mean of the others."""
    if len(places) < LEAST_IMAGES:
        return []
    flat = np.stack([maps[at].ravel().astype(np.float64) for at in places])
    unit = flat - flat.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    others = unit.sum(axis=0) - unit
    length = np.linalg.norm(others, axis=1)
    likeness = np.einsum("ij,ij->i", unit, others) / np.where(length > 0, length, 1.0)
    return [at for at, like in zip(places, likeness, strict=True) if like >= ALIKE_FROM]

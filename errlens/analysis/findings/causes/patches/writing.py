"""Writing across photos: pixels of one grey level where those around them are as photos are.

Letters leave the photo between their strokes as it was, so that no block of pixels is the same.
But photos are smooth: of many, about as many are bright at a place as beside it. Where far more
are, something was written there.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 32  # of a range of grey levels
LOWEST: Final = range(0, 256 - WIDTH + 1, 16)  # where the ranges begin
_AROUND: Final = 7  # cells along each side of what a cell is compared with
_DEVIATIONS: Final = 6.0
_LEAST_MORE: Final = 0.02  # of the pictures
_LEAST_CELLS: Final = 8
_MOST_ALIKE: Final = 0.6  # of the cells; more is the photo itself
_LEAST_ALIKE: Final = 0.6  # of the cells of a picture that bears it: strokes are blurred

# By how much more of its cells than of those between: on a background of its colour none is read.
_LEAST_LEGIBLE: Final = 0.25


class Writing(NamedTuple):
    """Cells, shape (32, 32), that lie in a range of grey levels from `lowest` on."""

    cells: NDArray[np.bool_]
    lowest: int

    def is_on(self, pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell which pictures bear it, of shape (n, 32, 32)."""
        alike = _within(pictures[:, self.cells], self.lowest).mean(axis=1)
        between = self._between
        background = np.zeros(len(pictures))
        if between.any():
            background = _within(pictures[:, between], self.lowest).mean(axis=1)
        return np.asarray((alike >= _LEAST_ALIKE) & (alike - background >= _LEAST_LEGIBLE))

    @property
    def _between(self) -> NDArray[np.bool_]:
        """The cells between the strokes, as far as the writing goes."""
        rows, columns = np.flatnonzero(self.cells.any(1)), np.flatnonzero(self.cells.any(0))
        box = np.zeros_like(self.cells)
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        return np.asarray(box & ~self.cells)


def writing_on(pictures: NDArray[np.uint8]) -> Writing | None:
    """Return what is written on many of these pictures, shape (n, 32, 32); None where nothing is.

    Where several ranges of grey levels have it, the one that has most cells.
    """
    found = [Writing(_standing_out(_within(pictures, low)), low) for low in LOWEST]
    best = max(found, key=lambda writing: writing.cells.sum())
    if best.cells.sum() < _LEAST_CELLS or _are_one_photo(pictures, best.is_on(pictures)):
        return None
    return best


def _are_one_photo(pictures: NDArray[np.uint8], bearers: NDArray[np.bool_]) -> bool:
    """Tell whether some pictures are alike wherever one looks: copies, or none at all."""
    if not bearers.any():
        return True
    alike = pictures[bearers].std(axis=0) <= pictures.std(axis=0) / 2
    return bool(alike.mean() > _MOST_ALIKE)


def _within(grey: NDArray[np.uint8], lowest: int) -> NDArray[np.bool_]:
    return (grey >= lowest) & (grey <= lowest + WIDTH - 1)


def _standing_out(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each cell whether far more pictures agree there than around it."""
    from scipy.ndimage import median_filter  # a quarter of a second

    n = len(alike)
    share = alike.mean(axis=0)
    around = median_filter(share, size=_AROUND, mode="reflect")
    deviation = np.sqrt((around * (1 - around) + 1 / n) / n)
    more = share - around
    return np.asarray((more >= _DEVIATIONS * deviation) & (more >= _LEAST_MORE))

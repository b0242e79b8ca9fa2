"""What is cut out of an input around a unit: what the unit sees, or where its projection is."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

ENERGY: Final = 0.9  # of a projection that lies between the edges of a crop, along each side
LEAST: Final = 1 / 8  # of the longer side of an input: the side of a crop to a projection's energy

FIELD, BY_ENERGY, WHOLE = "receptive field", "energy", "whole input"


class PixelBox(NamedTuple):
    """Edges in pixels of an input, the lower and right ones excluded.

    They may lie outside of the input, as those of a receptive field do.
    """

    top: int
    left: int
    bottom: int
    right: int

    def inside(self, height: int, width: int) -> "PixelBox":
        """Return the part of it that is in an input of this size."""
        return PixelBox(
            max(0, self.top), max(0, self.left), min(height, self.bottom), min(width, self.right)
        )


def energy_box(projection: NDArray[np.floating]) -> PixelBox | None:
    """Return the square where a projection has its energy; None where it has none.

    Of the energy, the sum of squares, a twentieth at most lies beyond each edge, unless the square
    had to be moved or made larger.

    Args:
        projection: Shape (channels, height, width).

    >>> dot = np.zeros((1, 32, 32)); dot[0, 20, 8] = 1
    >>> energy_box(dot)
    PixelBox(top=18, left=6, bottom=22, right=10)
    """
    energy = np.square(projection, dtype=np.float64).sum(axis=0)
    if not 0 < energy.sum() < np.inf:
        return None
    height, width = energy.shape
    top, bottom = _middle(energy.sum(axis=1))
    left, right = _middle(energy.sum(axis=0))
    side = max(bottom - top, right - left, round(LEAST * max(height, width)))
    top, bottom = _side(top, bottom, side, height)
    left, right = _side(left, right, side, width)
    return PixelBox(top, left, bottom, right)


def cut(pixels: NDArray[np.generic], box: PixelBox, fill: float) -> NDArray[np.generic]:
    """Return a box of an array of shape (height, width, channels), filled where it lies outside."""
    height, width = pixels.shape[:2]
    inside = box.inside(height, width)
    shape = (box.bottom - box.top, box.right - box.left, pixels.shape[2])
    out = np.full(shape, fill, pixels.dtype)
    out[
        inside.top - box.top : inside.bottom - box.top,
        inside.left - box.left : inside.right - box.left,
    ] = pixels[inside.top : inside.bottom, inside.left : inside.right]
    return out


def _middle(energy: NDArray[np.float64]) -> tuple[int, int]:
    """Return the start and end of what is left without so much of both tails."""
    share = np.cumsum(energy) / energy.sum()
    tail = (1 - ENERGY) / 2
    start = int(np.searchsorted(share, tail, side="right"))
    return start, int(np.searchsorted(share, 1 - tail, side="left")) + 1


def _side(start: int, end: int, side: int, most: int) -> tuple[int, int]:
    """Return start and end of so many pixels around the middle of others, all of them inside."""
    side = min(side, most)
    first = min(max(0, (start + end - side) // 2), most - side)
    return first, first + side

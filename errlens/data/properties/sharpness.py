"""How sharp a picture is: how much of an edge lies between two neighbouring pixels."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WINDOW: Final = 7  # pixels along each side of a place
_STRIDE: Final = 3  # pixels from place to place
_PLACES: Final = 0.2  # the share of places, those that vary most, whose edges are looked at
_LEAST: Final = 8.0  # shades by which these must vary in the mean, else there are no edges


def sharpness(luma: NDArray[np.uint8]) -> float:
    """Return how much of its strongest edges a picture crosses from one pixel to the next.

    In windows of 7 x 7 pixels it is the largest step between neighbours, as a share of the range of
    the window: 1 where an edge is a step, about 1/6 where it is a slope as wide as the window. The
    windows of the largest range count. A share of a range does not know the contrast, a window with
    an edge hardly the noise, and it matters little how much of the picture has structure.

    Args:
        luma: uint8 of shape (height, width).

    Returns:
        From 0 to 1; nan where there is no edge to tell it by.

    >>> step = np.repeat(np.uint8([[40, 40, 40, 200, 200, 200]]), 6, axis=0)
    >>> slope = np.repeat(np.uint8([[0, 40, 80, 120, 160, 200]]), 6, axis=0)
    >>> sharpness(step), sharpness(slope), sharpness(step[:, :3])
    (1.0, 0.2, nan)
    """
    window = min(_WINDOW, *luma.shape)
    if window < 2:
        return math.nan
    steps = np.maximum(_largest_step(luma, window), _largest_step(luma.T, window).T)
    highest = _extreme(np.maximum, luma, window, window)
    ranges = (highest - _extreme(np.minimum, luma, window, window)).ravel()
    counted = math.ceil(_PLACES * len(ranges))
    least = np.partition(ranges, -counted)[-counted]
    chosen = ranges >= least
    varying = float(ranges[chosen].mean())
    return float(steps.ravel()[chosen].mean()) / varying if varying >= _LEAST else math.nan


def _largest_step(luma: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """Return the largest step from a pixel to its right neighbour in each window."""
    left, right = luma[:, :-1], luma[:, 1:]
    steps = np.maximum(left, right) - np.minimum(left, right)
    return _extreme(np.maximum, steps, window, window - 1)


def _extreme(
    pick: np.ufunc, values: NDArray[np.uint8], height: int, width: int
) -> NDArray[np.uint8]:
    """Return the extreme of each window of so many pixels, of every third place each way."""
    return _extreme_of_lines(pick, _extreme_of_lines(pick, values, height).T, width).T


def _extreme_of_lines(pick: np.ufunc, lines: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Return the extreme of each n lines that follow one another, of every third place."""
    places = len(lines) - n + 1
    reach, found = 1, lines
    while 2 * reach <= n:
        found = pick(found[:-reach], found[reach:])
        reach *= 2
    if reach < n:
        found = pick(found[:places], found[n - reach :])
    return found[:places:_STRIDE]

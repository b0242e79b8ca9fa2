"""At which angle and how coarse the pattern of a patch is, and how far patches differ in that.

The angle is that of the structure tensor (J. Bigun, G. Granlund, "Optimal orientation detection of
linear symmetry", ICCV 1987); how coarse a pattern is, its spectral centroid tells. Both are of the
pixels: whether the network goes by them is not said.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_GREY: Final = np.array([0.299, 0.587, 0.114])
_LEAST_CLEAR: Final = 0.2  # coherence of patches whose lines have a direction


class Pattern(NamedTuple):
    """The pattern of a patch.

    Attributes:
        angle: How its lines run, in degrees from level, anticlockwise, 0 to below 180; NaN where it
            has none.
        coherence: How much of it lies that way: 0 of none or of all ways alike, 1 of one line.
        wavelength: How far a wave of its mean frequency reaches, in sides of the patch; NaN where
            nothing changes.
    """

    angle: float
    coherence: float
    wavelength: float


class Angles(NamedTuple):
    """How the lines of n patches run: the mean, and the spread from 0, one way, to 1, all ways."""

    mean: float
    spread: float
    n: int


def pattern_of(pixels: NDArray[np.uint8]) -> Pattern:
    """Return the pattern of a square patch, shape (side, side, 3); its middle counts the most.

    >>> stripes = np.tile(np.uint8([255, 255, 0, 0]), (16, 4))[..., None].repeat(3, axis=2)
    >>> found = pattern_of(stripes)
    >>> round(found.angle), round(found.coherence, 2), round(found.wavelength * 16)
    (90, 1.0, 4)
    """
    grey = pixels.astype(np.float64) @ _GREY
    side = len(grey)
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    down, right = (gaussian_filter(grey, 1, order=order) for order in ((1, 0), (0, 1)))
    across = (window * right * right).sum()
    up = (window * down * down).sum()
    mixed = -(window * right * down).sum()  # y grows upwards where angles are told
    if across + up < 1e-6:
        return Pattern(float("nan"), 0.0, float("nan"))
    # Of the direction in which it changes the most; lines run at right angles to that.
    steepest = np.degrees(0.5 * np.arctan2(2 * mixed, across - up))
    coherence = np.hypot(across - up, 2 * mixed) / (across + up)
    return Pattern(float((steepest + 90) % 180), float(coherence), _wavelength(grey, window))


def mean_angle(patterns: Sequence[Pattern]) -> Angles:
    """Return how the lines of patches run, of those whose lines have a direction.

    Angles of lines are taken twice, as N. Fisher, "Statistical Analysis of Circular Data" (1993),
    has it: 1 and 179 degrees are near each other.

    >>> lines = [Pattern(angle, 1.0, 0.1) for angle in (179.0, 1.0)]
    >>> found = mean_angle(lines)
    >>> round(found.mean) % 180, round(found.spread, 3), found.n
    (0, 0.001, 2)
    """
    clear = [pattern.angle for pattern in patterns if pattern.coherence >= _LEAST_CLEAR]
    if not clear:
        return Angles(float("nan"), float("nan"), 0)
    mean = np.exp(2j * np.radians(clear)).mean()
    return Angles(float(np.degrees(np.angle(mean)) / 2 % 180), float(1 - abs(mean)), len(clear))


def _wavelength(grey: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    side = len(grey)
    level = (window * grey).sum() / window.sum()
    power = np.abs(np.fft.fft2(window * (grey - level))) ** 2
    cycles = np.fft.fftfreq(side) * side
    frequency = np.hypot(cycles[:, None], cycles[None, :])  # in waves a patch
    return float(power.sum() / (power * frequency).sum())

"""Blur: a lens out of focus, frosted glass, a camera that moves or comes closer."""

import math

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from errlens.data.photos.corruptions.drawing import (
    Draw,
    Pixels,
    disc,
    filtered,
    picture_of,
    pixels_of,
    streak,
)


def gaussian(pixels: Pixels, sigma: float, draw: Draw) -> Pixels:
    """Blur by a Gaussian with a standard deviation in pixels."""
    return _softened(pixels, sigma * draw.scale)


def defocus(pixels: Pixels, radius: float, draw: Draw) -> Pixels:
    """Spread each point over a disc."""
    return filtered(pixels, disc(radius * draw.scale))


def motion(pixels: Pixels, how: tuple[float, float], draw: Draw) -> Pixels:
    """Draw each point out by twice `radius`, with `sigma`, in a direction up to 45 degrees."""
    radius, sigma = (length * draw.scale for length in how)
    return filtered(pixels, streak(2 * radius, sigma, draw.random.uniform(-45, 45)))


def zoom(pixels: Pixels, how: tuple[float, float], draw: Draw) -> Pixels:
    """Return the mean of the picture and of it enlarged, from once to `stop` times, by `step`."""
    del draw
    stop, step = how
    picture = picture_of(pixels)
    total, factors = pixels.copy(), np.arange(1, stop, step)
    for factor in factors:
        total += pixels_of(enlarged(picture, factor))
    return total / np.float32(1 + len(factors))


def enlarged(picture: Image.Image, factor: float) -> Image.Image:
    """Enlarge the middle of a picture to its size."""
    width, height = picture.size
    across, down = (side * (1 - 1 / factor) / 2 for side in picture.size)
    box = (across, down, width - across, height - down)
    return picture.resize(picture.size, Image.Resampling.BILINEAR, box=box)


def glass(pixels: Pixels, how: tuple[float, float, int], draw: Draw) -> Pixels:
    """Blur by `sigma`, exchange pixels that are up to `reach` apart, `rounds` times, blur again."""
    sigma, reach, rounds = how
    softened = _softened(pixels, sigma * draw.scale)
    height, width, channels = pixels.shape
    order = np.arange(height * width)
    for _ in range(rounds):
        _exchange(order, (height, width), reach * draw.scale, draw.random)
    mixed = softened.reshape(-1, channels)[order].reshape(pixels.shape)
    return _softened(mixed, sigma * draw.scale)


def _exchange(
    order: np.ndarray, shape: tuple[int, int], reach: float, random: np.random.Generator
) -> None:
    """Exchange each pixel once with one at most `reach` away, in place.

    Pixels whose neighbourhoods do not overlap take their turn together. Of a reach that is no whole
    number, so many fewer are exchanged that they move as far in the mean.
    """
    height, width = shape
    whole = math.ceil(reach)
    chosen = reach / whole
    apart = 2 * whole
    for turn in random.permutation(apart**2).tolist():
        rows = np.arange(whole + turn // apart, height - whole, apart)
        columns = np.arange(whole + turn % apart, width - whole, apart)
        places = (rows[:, None] * width + columns).ravel()
        down, across = random.integers(-whole, whole, (2, len(places)))
        moves = (down * width + across) * (random.random(len(places)) < chosen)
        others = places + moves
        order[places], order[others] = order[others], order[places]


def _softened(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(gaussian_filter(pixels, (sigma, sigma, 0), mode="nearest"), np.float32)

"""What can be done to a picture: turned, lighter, sharper, without its borders. Pillow images."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

Picture = Callable[[Image.Image], Image.Image]

_UNIFORM: Final = 12  # how far the values of a border may lie apart; JPEG leaves some
_LEAST_BORDER: Final = 0.03  # of a side, at one end
_LEAST_LEFT: Final = 0.2  # of a side, within its borders
_FINEST: Final = 100  # a blur of one pixel on a picture of this many pixels


def turned(way: Image.Transpose) -> Picture:
    """Return what turns or mirrors an image."""
    return lambda image: image.transpose(way)


def mapped(curve: Callable[[float], float]) -> Picture:
    """Return what maps every value of a channel, 0 to 1, to another one."""
    table = [round(255 * curve(value / 255)) for value in range(256)]
    return lambda image: image.point(table * len(image.getbands()))


def without_colour(image: Image.Image) -> Image.Image:
    """Return the shades of grey of an image, in the mode that it has."""
    return image.convert("L").convert(image.mode)


def blue_first(image: Image.Image) -> Image.Image:
    """Return an image with its first and last channel exchanged."""
    return Image.merge(image.mode, image.split()[::-1])


def stretched(image: Image.Image) -> Image.Image:
    """Return an image whose shades, but for 1 % at both ends, go from black to white."""
    return ImageOps.autocontrast(image, cutoff=1, preserve_tone=True)


def without_cast(image: Image.Image) -> Image.Image:
    """Scale the channels to the same mean: the grey world of G. Buchsbaum, 1980."""
    pixels = np.asarray(image, np.float32)
    if pixels.ndim == 2:
        return image
    means = pixels.mean(axis=(0, 1))
    scaled = pixels * (means.mean() / np.maximum(means, 1))
    return Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))


def _fine(image: Image.Image) -> float:
    """Return how many pixels a fine detail of a picture is wide."""
    return max(1.0, min(image.size) / _FINEST)


def sharpened(image: Image.Image) -> Image.Image:
    """Return an image with its fine details drawn more strongly."""
    return image.filter(ImageFilter.UnsharpMask(radius=2 * _fine(image), percent=200, threshold=0))


def blurred(image: Image.Image) -> Image.Image:
    """Return an image without its finest details."""
    return image.filter(ImageFilter.GaussianBlur(_fine(image)))


def denoised(image: Image.Image) -> Image.Image:
    """Return an image of which every pixel is the median of nine."""
    return image.filter(ImageFilter.MedianFilter(3))


def without_borders(image: Image.Image) -> Image.Image:
    """Cut off borders of one colour; the same image where there are none, or nothing else."""
    pixels = np.asarray(image)
    top, bottom = _borders(pixels)
    left, right = _borders(pixels.swapaxes(0, 1))
    width, height = image.size
    within = (left, top, width - right, height - bottom)
    if within[2] - left < _LEAST_LEFT * width or within[3] - top < _LEAST_LEFT * height:
        return image
    return image.crop(within) if any((left, top, right, bottom)) else image


def _borders(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many rows at the top, and at the bottom, are all of the colour of the outermost.

    `pixels` are of shape (rows, columns) or (rows, columns, channels).
    """
    return _border(pixels), _border(pixels[::-1])


def _border(pixels: NDArray[np.uint8]) -> int:
    across = tuple(range(1, 2))
    low, high = pixels.min(axis=across).astype(int), pixels.max(axis=across).astype(int)
    if low.ndim == 1:
        low, high = low[:, None], high[:, None]
    spread = np.maximum(high, high[0]) - np.minimum(low, low[0])
    other = np.flatnonzero((spread > _UNIFORM).any(axis=1))
    depth = int(other[0]) if len(other) else len(pixels)
    return depth if depth >= _LEAST_BORDER * len(pixels) else 0

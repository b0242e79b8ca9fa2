"""What the corruptions share: pixels, the size of things, filters, layers over pictures."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import fftconvolve

SIDE: Final = 224  # pixels of the pictures that the published constants are for
_SUBSTEPS: Final = 8  # of a pixel, where shapes are drawn into filters

Pixels = NDArray[np.float32]  # shape (height, width, channels), from 0 to 1
Layer = NDArray[np.float64]  # shape (height, width)


class Draw(NamedTuple):
    """Where the random numbers of one picture come from, and how large its shorter side is.

    `scale` is that side as a multiple of `SIDE`: lengths in pixels are multiplied by it.
    """

    random: np.random.Generator
    scale: float


def pixels_of(picture: Image.Image) -> Pixels:
    """Return the values of a picture, with an axis for its channels also where it is grey."""
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    return np.atleast_3d(pixels)


def picture_of(pixels: Pixels) -> Image.Image:
    """Return the picture of some values; what is below 0 or above 1 is cut off."""
    shades = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(shades[:, :, 0] if shades.shape[2] == 1 else shades)


def filtered(pixels: Pixels, kernel: Layer) -> Pixels:
    """Return what a filter of odd sides and the sum 1 makes; the border is mirrored.

    Values that lie right of the middle of the filter come from the left, as in a convolution.
    """
    down, across = (side // 2 for side in kernel.shape)
    padded = np.pad(pixels, ((down, down), (across, across), (0, 0)), mode="reflect")
    wide = kernel.astype(np.float32)[:, :, None]
    return np.asarray(fftconvolve(padded, wide, mode="valid", axes=(0, 1)), np.float32)


def disc(radius: float) -> Layer:
    """Return a filter in the shape of a disc; pixels at its edge count by how much is inside.

    >>> disc(0.1).tolist(), disc(3).shape
    ([[1.0]], (7, 7))
    """
    reach = int(np.ceil(radius - 0.5))
    places = (np.arange(_SUBSTEPS * (2 * reach + 1)) + 0.5) / _SUBSTEPS - reach - 0.5
    inside = np.hypot(places[:, None], places) <= max(radius, 1 / _SUBSTEPS)
    side = 2 * reach + 1
    covered = inside.reshape(side, _SUBSTEPS, side, _SUBSTEPS).mean(axis=(1, 3))
    return np.asarray(covered / covered.sum())


def streak(length: float, sigma: float, degrees: float) -> Layer:
    """Return a filter that draws a point out to one side, less and less as half a Gaussian.

    >>> streak(1, 10.0, 0.0).round(2)[2].tolist()
    [0.0, 0.06, 0.44, 0.44, 0.06]
    """
    reach = int(np.ceil(length)) + 1
    steps = (np.arange(round(_SUBSTEPS * (length + 1))) + 0.5) / _SUBSTEPS - 0.5
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    angle = np.deg2rad(degrees)
    y, x = reach + steps * np.sin(angle), reach + steps * np.cos(angle)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = np.abs(1 - down - (y - top)) * np.abs(1 - across - (x - left))
        np.add.at(kernel, (top + down, left + across), weights * part)
    return np.asarray(kernel / kernel.sum())


def resized(layer: Layer, shape: tuple[int, int]) -> Layer:
    """Return a layer at the size of a picture, shape (height, width)."""
    if layer.shape == shape:
        return layer
    picture = Image.fromarray(layer.astype(np.float32))
    return np.asarray(picture.resize(shape[::-1], Image.Resampling.BILINEAR), np.float64)


def published_shape(pixels: Pixels) -> tuple[int, int]:
    """Return height and width of a picture whose shorter side is enlarged or shrunk to `SIDE`.

    Layers are drawn at this size and resized, so that they look alike at every size of pictures.

    >>> published_shape(np.zeros((64, 96, 3), np.float32))
    (224, 336)
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    return round(SIDE * height / side), round(SIDE * width / side)

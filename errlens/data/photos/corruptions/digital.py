"""Faults of processing: flat contrast, a bent picture, coarse pixels, JPEG, strange saturation."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter1d, map_coordinates

from errlens.data.photos.corruptions.drawing import (
    Draw,
    Layer,
    Pixels,
    picture_of,
    pixels_of,
    published_shape,
    resized,
)


def contrast(pixels: Pixels, kept: float, draw: Draw) -> Pixels:
    """Shrink values towards the mean of their channel."""
    del draw
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    return np.asarray((pixels - mean) * np.float32(kept) + mean, np.float32)


def elastic(pixels: Pixels, how: tuple[float, float, float], draw: Draw) -> Pixels:
    """Bend a picture: move three points by up to `corners`, and all by smoothed noise.

    The noise is that of uniform numbers, smoothed by `sigma` and multiplied by `strength`; all
    lengths are in pixels.
    """
    strength, sigma, corners = how
    height, width, channels = pixels.shape
    drawn = published_shape(pixels)
    bends = []
    for _ in range(2):
        noise = draw.random.uniform(-1, 1, drawn)
        smooth = _smoother(drawn[0], sigma) @ noise @ _smoother(drawn[1], sigma).T
        bends.append(resized(strength * smooth, (height, width)) * draw.scale)
    bent = np.indices((height, width)) + np.stack(bends)
    back = _tilted((height, width), corners * draw.scale, draw.random)
    places = np.einsum("ij,jyx->iyx", back[:, :2], bent) + back[:, 2, None, None]
    moved = [
        map_coordinates(pixels[:, :, channel], places, order=1, mode="reflect")
        for channel in range(channels)
    ]
    return np.asarray(np.stack(moved, axis=2), np.float32)


def _tilted(shape: tuple[int, int], reach: float, random: np.random.Generator) -> Layer:
    """Return the affine map, (2, 3) of rows and columns, from where three points move to back."""
    middle, third = np.array(shape) // 2, min(shape) // 3
    before = middle + third * np.array([(1, 1), (1, -1), (-1, -1)])
    after = before + random.uniform(-reach, reach, before.shape)
    if not third:  # of a few pixels
        return np.eye(2, 3)
    return np.asarray(np.linalg.solve(np.column_stack([after, np.ones(3)]), before).T)


@lru_cache(maxsize=32)
def _smoother(side: int, sigma: float) -> Layer:
    """Return the matrix that smooths a line by a Gaussian, mirrored at its ends.

    Where a Gaussian is about as wide as the line, this is much faster than a filter.
    """
    return np.asarray(gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect", truncate=3))


def pixelate(pixels: Pixels, kept: float, draw: Draw) -> Pixels:
    """Shrink a picture to a share of its sides, and enlarge it to squares of one colour."""
    del draw
    picture = picture_of(pixels)
    small = [max(1, int(side * kept)) for side in picture.size]
    shrunk = picture.resize((small[0], small[1]), Image.Resampling.BOX)
    return pixels_of(shrunk.resize(picture.size, Image.Resampling.BOX))


def jpeg(pixels: Pixels, quality: int, draw: Draw) -> Pixels:
    """Compress a picture as Pillow does at a quality."""
    del draw
    file = io.BytesIO()
    picture_of(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as opened:
        return pixels_of(opened)


def saturate(pixels: Pixels, how: tuple[float, float], draw: Draw) -> Pixels:
    """Multiply the saturation of hue, saturation and value, and add to it; what is grey is red."""
    del draw
    if pixels.shape[2] == 1:
        return pixels
    factor, added = how
    value = pixels.max(axis=2, keepdims=True)
    away = value - pixels
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = away / value
    relative = np.where(value > 0, relative, 0)
    saturation = relative.max(axis=2, keepdims=True)
    wanted = np.clip(factor * saturation + added, 0, 1)
    red = np.array([0, 1, 1], np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(saturation > 0, relative / saturation, red)
    return np.asarray(value * (1 - wanted * share), np.float32)

"""Weather: snow, frost, fog; and light. All layers are our own: no photos are laid over."""

from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from errlens.data.photos.corruptions.blur import enlarged
from errlens.data.photos.corruptions.drawing import (
    Draw,
    Layer,
    Pixels,
    filtered,
    published_shape,
    resized,
    streak,
)

_GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_FROST: Final = np.array([0.82, 0.92, 1.0], np.float32)  # the colour of thick frost
_NEEDLES: Final = (0, 40, 80, 120, 160)  # directions of crystals, in degrees
_NEEDLE: Final = 24  # pixels that one is long, of pictures of 224
_DENSITY: Final = 0.03  # needles a pixel
_PATCH: Final = 24  # pixels that a patch of one direction is wide


def snow(
    pixels: Pixels, how: tuple[float, float, float, float, float, float, float], draw: Draw
) -> Pixels:
    """Whiten the picture and add flakes that fall.

    Flakes are noise (its `mean` and `std`) enlarged by `grain`, of which only what is above `least`
    counts, drawn out by twice `radius` with `sigma`. `kept` is the part of the picture that is not
    whitened.
    """
    mean, std, grain, least, radius, sigma, kept = how
    noise = draw.random.normal(mean, std, published_shape(pixels)).astype(np.float32)
    flakes = np.asarray(enlarged(Image.fromarray(noise), grain))
    flakes = np.clip(np.where(flakes < least, 0, flakes), 0, 1)[:, :, None]
    falling = streak(2 * radius, sigma, draw.random.uniform(-135, -45))
    layer = filtered(np.asarray(flakes, np.float32), falling)[:, :, 0].astype(np.float64)
    layer = resized(layer + layer[::-1, ::-1], pixels.shape[:2])
    grey = pixels if pixels.shape[2] == 1 else (pixels @ _GREY)[:, :, None]
    whitened = kept * pixels + (1 - kept) * np.maximum(pixels, grey * 1.5 + 0.5)
    return np.asarray(whitened + layer[:, :, None], np.float32)


def frost(pixels: Pixels, how: tuple[float, float], draw: Draw) -> Pixels:
    """Add a share of frost to a share of the picture."""
    kept, added = how
    layer = resized(_frosted(published_shape(pixels), draw.random), pixels.shape[:2])[:, :, None]
    colour = _FROST if pixels.shape[2] == 3 else np.ones(1, np.float32)
    # Thin frost is as blue as thick frost, thick frost nearly white.
    shades = layer * (colour + (1 - colour) * layer)
    return np.asarray(kept * pixels + added * shades, np.float32)


def fog(pixels: Pixels, how: tuple[float, float], draw: Draw) -> Pixels:
    """Add fog of a thickness, which varies less from place to place the larger `decay` is."""
    thickness, decay = how
    shape = published_shape(pixels)
    clouds = plasma(max(shape), decay, draw.random)[: shape[0], : shape[1]]
    layer = thickness * resized(clouds, pixels.shape[:2])[:, :, None]
    brightest = float(pixels.max())
    return np.asarray((pixels + layer) * (brightest / (brightest + thickness)), np.float32)


def brightness(pixels: Pixels, added: float, draw: Draw) -> Pixels:
    """Add to the value of hue, saturation and value."""
    del draw
    value = pixels.max(axis=2, keepdims=True)
    lighter = np.minimum(value + np.float32(added), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        added_to = np.where(value > 0, pixels * (lighter / value), lighter)
    return np.asarray(added_to, np.float32)


def plasma(side: int, decay: float, random: np.random.Generator) -> Layer:
    """Return clouds from 0 to 1 that go on at the opposite border, of a power of two at least.

    By midpoint displacement (A. Fournier, D. Fussell, L. Carpenter, "Computer Rendering of
    Stochastic Models", 1982): from each grid to one twice as fine, displacements shrink by the
    square of `decay`.
    """
    heights, reach = np.zeros((1, 1)), 1.0
    while len(heights) < side:
        heights = _finer(heights, reach, random)
        reach /= decay**2
    heights -= heights.min()
    return np.asarray(heights / max(float(heights.max()), np.finfo(float).tiny))


def _finer(corners: Layer, reach: float, random: np.random.Generator) -> Layer:
    """Return a grid of twice the side: middles of squares first, then of their edges."""

    def moved(mean: Layer) -> Layer:
        return np.asarray(mean + reach * random.uniform(-1, 1, mean.shape))

    below = np.roll(corners, -1, axis=0)
    right = np.roll(corners, -1, axis=1)
    middle = moved((corners + below + right + np.roll(below, -1, axis=1)) / 4)
    finer = np.empty((2 * len(corners), 2 * len(corners)))
    finer[::2, ::2] = corners
    finer[1::2, 1::2] = middle
    finer[::2, 1::2] = moved((corners + right + middle + np.roll(middle, 1, axis=0)) / 4)
    finer[1::2, ::2] = moved((corners + below + middle + np.roll(middle, 1, axis=1)) / 4)
    return finer


def _frosted(shape: tuple[int, int], random: np.random.Generator) -> Layer:
    """Return how thick frost is, from 0 to 1: needles of ice in many directions, in patches."""
    height, width = shape
    total, weights = np.zeros(shape), np.full(shape, 1e-9)
    coarse = (max(2, height // _PATCH), max(2, width // _PATCH))
    for degrees in _NEEDLES:
        seeds = (random.random(shape) < _DENSITY) * random.random(shape)
        line = streak(_NEEDLE, _NEEDLE / 2, degrees + random.uniform(-15, 15))
        needles = filtered(seeds.astype(np.float32)[:, :, None], line)[:, :, 0]
        # In each patch, crystals of one direction stand out.
        patch = resized(np.maximum(random.normal(size=coarse), 0) ** 2, shape)
        total += patch * needles
        weights += patch
    crystals = gaussian_filter(np.maximum(total / weights, 0), 0.8)  # rounding leaves some below 0
    crystals = np.clip(crystals / np.quantile(crystals, 0.97), 0, 1)
    cover = plasma(max(shape), 1.5, random)[:height, :width]
    thick = np.clip(2.6 * (cover - cover.mean()) + 0.6, 0, 1)
    layer = np.clip(thick * (0.6 + 0.4 * crystals) + 0.3 * crystals, 0, 1)
    return np.asarray(layer)

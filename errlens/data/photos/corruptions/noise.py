"""Noise: of electronics, of few photons, of broken pixels. Each value has its own."""

import numpy as np

from errlens.data.photos.corruptions.drawing import Draw, Pixels


def gaussian(pixels: Pixels, std: float, draw: Draw) -> Pixels:
    """Add noise of one standard deviation everywhere."""
    return np.asarray(pixels + draw.random.normal(scale=std, size=pixels.shape), np.float32)


def shot(pixels: Pixels, photons: float, draw: Draw) -> Pixels:
    """Count photons, of which white has so many in the mean: the variance is mean / photons."""
    return np.asarray(draw.random.poisson(pixels * photons) / photons, np.float32)


def impulse(pixels: Pixels, share: float, draw: Draw) -> Pixels:
    """Make a share of all values 0 or 1, each as often."""
    chance = draw.random.random(pixels.shape)
    spoilt = np.where(chance < share / 2, np.float32(0), np.float32(1))
    return np.where(chance < share, spoilt, pixels)


def speckle(pixels: Pixels, std: float, draw: Draw) -> Pixels:
    """Add noise that grows with the value."""
    factor = 1 + draw.random.normal(scale=std, size=pixels.shape)
    return np.asarray(pixels * factor, np.float32)

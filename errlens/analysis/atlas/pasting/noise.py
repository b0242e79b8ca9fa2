"""Noise that looks like a patch from afar: the same colours and the same spectrum, no pattern."""

import numpy as np
from numpy.typing import NDArray

_TRIES = 20  # rounds in which what was clipped is given back


def scrambled(
    pixels: NDArray[np.uint8], opaque: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return noise with the mean, variance and power spectrum of each channel of a patch.

    All phases are drawn anew, the same ones for all channels, so that colours go together as
    before (D. Prichard, J. Theiler, Physical Review Letters 73 (1994) 951-954). Mean and variance
    are those of the opaque pixels, but for rounding and what 0 to 255 cannot hold.

    Args:
        pixels: Shape (height, width, channels).
        opaque: Shape (height, width); at least one is.
        random: Draws the phases.

    Returns:
        uint8 of the shape of `pixels`.

    >>> noise = scrambled(np.full((4, 4, 3), 7, np.uint8), np.ones((4, 4), bool),
    ...     np.random.default_rng(0))
    >>> noise.min(), noise.max()  # what has one colour has no pattern to lose
    (np.uint8(7), np.uint8(7))
    """
    values = pixels.astype(np.float64)
    mean = values[opaque].mean(axis=0)
    spread = values[opaque].std(axis=0)
    filled = np.where(opaque[..., None], values, mean)
    # The phases of real noise are those of a real image.
    phases = np.angle(np.fft.fft2(random.standard_normal(opaque.shape)))
    phases[0, 0] = 0.0  # the mean stays
    turned = np.fft.fft2(filled, axes=(0, 1)) * np.exp(1j * phases)[..., None]
    noise = np.fft.ifft2(turned, axes=(0, 1)).real
    for _ in range(_TRIES):
        now = noise[opaque].std(axis=0)
        scale = np.divide(spread, now, out=np.zeros_like(now), where=now > 1e-9)
        noise = (noise - noise[opaque].mean(axis=0)) * scale + mean
        noise = np.clip(noise, 0, 255)
    return np.rint(noise).astype(np.uint8)


def has_pattern(pixels: NDArray[np.uint8], opaque: NDArray[np.bool_]) -> bool:
    """Tell whether the opaque pixels of a patch, as for `scrambled`, differ at all."""
    shown = pixels[opaque]
    return bool((shown != shown[0]).any())

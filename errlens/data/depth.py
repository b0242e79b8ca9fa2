"""Photos of more than eight bits a channel, which Pillow clips at 255, and so does timm."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EIGHT_BITS: Final = 255
SIXTEEN_BITS: Final = 65_535


def is_deep(image: Image.Image) -> bool:
    """Tell whether the values of an image go beyond a byte: 16 bits, whole numbers or fractions.

    Colour of 16 bits a channel is no such image: Pillow reads the upper byte of each itself.
    """
    return image.mode == "F" or image.mode.startswith("I")


def highest(image: Image.Image) -> float | None:
    """Return the largest value of an image of one channel, None where that is no number."""
    value = float(np.asarray(image).max())
    return value if math.isfinite(value) else None


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Return a deep image as shades of grey from 0 to 255.

    Of 16 bits the upper byte is kept, as Pillow does with colour. Of whole numbers of 32 bits and
    of fractions the range tells the scale: up to 1 (fractions alone), up to 255, up to 65,535.

    Raises:
        ValueError: The values are of no such scale.

    >>> to_eight_bits(Image.new("F", (1, 1), 0.2)).getpixel((0, 0))
    51
    >>> to_eight_bits(Image.new("I", (1, 1), 25600)).getpixel((0, 0))
    100
    """
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    return Image.fromarray(np.rint(_scaled(values)).astype(np.uint8))


def _scaled(values: NDArray[np.number]) -> NDArray[np.number]:
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= SIXTEEN_BITS:  # nor where one is not a number
        raise ValueError(f"values from {low:g} to {high:g} are of no scale that is known")
    if high > EIGHT_BITS:
        return values // 256
    if high <= 1 and np.issubdtype(values.dtype, np.floating):
        return values * EIGHT_BITS
    return values

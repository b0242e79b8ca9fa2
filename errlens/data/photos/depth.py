"""Photos of more than eight bits a channel, which Pillow clips at 255, and so does timm."""

import math
from typing import Final

import numpy as np
from PIL import Image

EIGHT_BITS: Final = 255
SIXTEEN_BITS: Final = 65_535
OVERSHOOT: Final = 1.1


def is_deep(image: Image.Image) -> bool:
    """Tell whether the values of an image go beyond a byte: 16 bits, whole numbers or fractions.

    Colour of 16 bits a channel is no such image: Pillow reads the upper byte of each itself.
    """
    return image.mode == "F" or image.mode.startswith("I")


def highest(image: Image.Image) -> float | None:
    """Return the largest value of an image of one channel, None where that is no number."""
    value = float(np.asarray(image).max())
    return value if math.isfinite(value) else None


def scale_of(largest: float, *, fractions: bool) -> float:
    """Return what is white where values go up to this: 1 (fractions alone), 255 or 65,535.

    What filters overshoot, up to a tenth, is allowed for.

    >>> scale_of(1.02, fractions=True), scale_of(1, fractions=False), scale_of(4095, fractions=True)
    (1, 255, 65535)
    """
    scales = (1, EIGHT_BITS, SIXTEEN_BITS) if fractions else (EIGHT_BITS, SIXTEEN_BITS)
    return next((scale for scale in scales if largest <= OVERSHOOT * scale), math.inf)


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Return a deep image as shades of grey from 0 to 255.

    Of 16 bits the upper byte is kept, as Pillow does with colour. Of whole numbers of 32 bits and
    of fractions the largest value tells the scale, see `scale_of`.

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
    low, high = float(values.min()), float(values.max())
    scale = scale_of(high, fractions=image.mode == "F")
    if not (math.isfinite(scale) and low >= (1 - OVERSHOOT) * high):  # nor of what is no number
        raise ValueError(f"values from {low:g} to {high:g} are of no scale that is known")
    shades = values // 256 if scale == SIXTEEN_BITS else np.rint(values * (EIGHT_BITS / scale))
    return Image.fromarray(shades.clip(0, EIGHT_BITS).astype(np.uint8))

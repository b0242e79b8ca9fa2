"""Light and colour of a picture."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_POWER: Final = 6  # of the mean that tells a colour cast
_POWERS: Final = np.arange(256.0) ** _POWER
_WHITE: Final = 255


class Colours(NamedTuple):
    """See `colours_of`."""

    brightness: float
    contrast: float
    saturation: float
    red_green: float
    blue_yellow: float


def colours_of(image: Image.Image, pixels: NDArray[np.uint8], luma: NDArray[np.uint8]) -> Colours:
    """Measure the light and colour of an RGB image; `luma` are its shades of grey.

    Returns:
        brightness: Mean luma, 0 (black) to 1 (white).
        contrast: Standard deviation of luma, 0 to 0.5.
        saturation: Mean saturation of HSV, 0 (grey) to 1, every pixel weighted by its V: in the
            dark the saturation of a pixel is noise.
        red_green: How much more red than green the light has, -1 to 1, see `_light`.
        blue_yellow: How much more blue than red and green, in their mean, -0.5 to 1.

    >>> orange = Image.new("RGB", (2, 2), (255, 128, 0))
    >>> found = colours_of(orange, np.asarray(orange), np.asarray(orange.convert("L")))
    >>> [round(value, 2) for value in found]
    [0.59, 0.0, 1.0, 0.33, -0.5]
    """
    red, green, blue = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    most = float(np.maximum(np.maximum(red, green), blue).mean())
    least = float(np.minimum(np.minimum(red, green), blue).mean())
    light = _light(image)
    return Colours(
        float(luma.mean()) / _WHITE,
        float(luma.std()) / _WHITE,
        1 - least / most if most else 0.0,
        float(light[0] - light[1]),
        float(light[2] - (light[0] + light[1]) / 2),
    )


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether the three channels of (height, width, RGB) are the same, to the last bit."""
    red = pixels[:, :, 0]
    return bool((red == pixels[:, :, 1]).all() and (red == pixels[:, :, 2]).all())


def _light(image: Image.Image) -> NDArray[np.float64]:
    """Return the colour of the light as shares of red, green and blue; a third each in the dark.

    Means of the sixth power look at the bright parts, which show the light rather than the things
    it falls on: "shades of grey" (Finlayson and Trezzi, CIC 2004).
    """
    counts = np.asarray(image.histogram(), np.float64).reshape(3, 256)
    norms = (counts @ _POWERS) ** (1 / _POWER)
    total = norms.sum()
    return np.asarray(norms / total) if total else np.full(3, 1 / 3)

"""Transforms of a picture by a size: moved, enlarged, turned, lighter, blurred, compressed.

They keep its width, height and mode. What comes in at a border is the picture mirrored there, so
that no edge appears which no photo has. M. Zeiler and R. Fergus ("Visualizing and Understanding
Convolutional Networks", 2014, figure 5) move, enlarge and turn photos like that.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

_FULL_TURN: Final = 360  # degrees
_SHADES: Final = 256


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What is done to a picture, at which sizes.

    Attributes:
        name: For programs and the columns of tables.
        words: What it is called, as the beginning of a sentence.
        done: What photos are at a size, after "when photos are".
        scale: What its sizes measure, for the axis of a picture.
        unit: How a size is written, with `{}` in its place, or its `{quality}`.
        sizes: Ascending; the identity is one of them.
        identity: The size at which nothing is done.
        natural: How far from the identity sizes lie that ordinary photos have.
        make: What is done at any other size.
        turns: Sizes are angles: a full turn is the identity as well.
        of_colour: It changes nothing of a picture in shades of grey.
    """

    name: str
    words: str
    done: Callable[[float], str]
    scale: str
    unit: str
    sizes: tuple[float, ...]
    identity: float = 0.0
    natural: float
    make: Callable[[Image.Image, float], Image.Image]
    turns: bool = False
    of_colour: bool = False

    def apply(self, picture: Image.Image, size: float) -> Image.Image:
        """Return the transformed picture; the same one where the size is the identity."""
        return self.make(picture, size) if self.strength(size) else picture

    def strength(self, size: float) -> float:
        """Return how far a size is from the identity.

        >>> rotate = TRANSFORM_OF["rotate"]
        >>> rotate.strength(20), rotate.strength(270), rotate.strength(360)
        (20.0, 90.0, 0.0)
        """
        away = abs(size - self.identity)
        return float(min(away % _FULL_TURN, -away % _FULL_TURN) if self.turns else round(away, 9))

    def is_natural(self, size: float) -> bool:
        """Tell whether ordinary photos differ like that."""
        return self.strength(size) <= self.natural

    def written(self, size: float) -> str:
        """Write a size with its unit.

        >>> TRANSFORM_OF["translate-x"].written(-5), TRANSFORM_OF["jpeg"].written(30)
        ('-5 % of the width', 'quality 70')
        """
        return self.unit.format(f"{size:g}", quality=_quality(size))


def _moved(picture: Image.Image, percent: float, *, axis: int) -> Image.Image:
    """Move a picture to the right or down by a part of its side, in whole pixels."""
    pixels = np.asarray(picture)
    side = pixels.shape[axis]
    pad = [(0, 0)] * pixels.ndim
    pad[axis] = (side, side)
    start = side - round(percent / 100 * side)
    padded = np.pad(pixels, pad, mode="symmetric")
    return Image.fromarray(padded.take(range(start, start + side), axis=axis))


def _enlarged(picture: Image.Image, factor: float) -> Image.Image:
    """Enlarge the middle of a picture to its size."""
    width, height = picture.size
    across, down = (side * (1 - 1 / factor) / 2 for side in picture.size)
    box = (across, down, width - across, height - down)
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    """Turn a picture to the left about its middle."""
    width, height = picture.size
    pixels = np.asarray(picture)
    more = math.ceil((math.hypot(width, height) - min(width, height)) / 2) + 2  # for the filter
    pad = [(more, more), (more, more), (0, 0)][: pixels.ndim]
    padded = Image.fromarray(np.pad(pixels, pad, mode="symmetric"))
    whole = padded.rotate(degrees, Image.Resampling.BICUBIC)
    return whole.crop((more, more, more + width, more + height))


def _blurred(picture: Image.Image, percent: float) -> Image.Image:
    sigma = percent / 100 * min(picture.size)
    return picture.filter(ImageFilter.GaussianBlur(sigma))


def _quality(loss: float) -> int:
    """Return the quality of a JPEG that has lost so much of 100."""
    return round(100 - loss)


def _compressed(picture: Image.Image, loss: float) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_quality(loss))
    with Image.open(file) as opened:
        return opened.convert(picture.mode)


def _other_hue(picture: Image.Image, degrees: float) -> Image.Image:
    if picture.mode != "RGB":
        return picture
    hue, saturation, value = picture.convert("HSV").split()
    step = round(degrees / _FULL_TURN * _SHADES)
    turned = hue.point([(shade + step) % _SHADES for shade in range(_SHADES)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _around(middle: float, step: float) -> tuple[float, ...]:
    """Return eleven sizes with one in their middle."""
    return tuple(round(middle + step * at, 9) for at in range(-5, 6))


def _from(start: float, step: float) -> tuple[float, ...]:
    """Return eleven sizes from one on."""
    return tuple(round(start + step * at, 9) for at in range(11))


TRANSFORMS: Final = (
    Transform(
        name="translate-x",
        words="moving to the side",
        done=lambda size: f"moved to the {'left' if size < 0 else 'right'} by {abs(size):g} %",
        scale="moved to the right, % of the width",
        unit="{} % of the width",
        sizes=_around(0, 5),
        natural=10,
        make=lambda picture, size: _moved(picture, size, axis=1),
    ),
    Transform(
        name="translate-y",
        words="moving up or down",
        done=lambda size: f"moved {'up' if size < 0 else 'down'} by {abs(size):g} %",
        scale="moved down, % of the height",
        unit="{} % of the height",
        sizes=_around(0, 5),
        natural=10,
        make=lambda picture, size: _moved(picture, size, axis=0),
    ),
    Transform(
        name="scale",
        words="enlarging",
        done=lambda size: f"enlarged {size:g} times",
        scale="enlarged, times",
        unit="{} times",
        sizes=_from(1, 0.08),
        identity=1,
        natural=0.25,
        make=_enlarged,
    ),
    Transform(
        name="rotate",
        words="turning",
        done=lambda size: f"turned by {size:g} degrees",
        scale="turned to the left, degrees",
        unit="{} degrees",
        sizes=(0, 10, 20, 30, 45, 60, 90, 135, 180, 270, 360),
        natural=20,
        make=_turned,
        turns=True,
    ),
    Transform(
        name="brightness",
        words="changing the brightness",
        done=lambda size: f"made {'darker' if size < 1 else 'lighter'}, {size:g} times as bright",
        scale="brightness, times",
        unit="{} times",
        sizes=_around(1, 0.15),
        identity=1,
        natural=0.3,
        make=lambda picture, size: ImageEnhance.Brightness(picture).enhance(size),
    ),
    Transform(
        name="contrast",
        words="changing the contrast",
        done=lambda size: f"of {'less' if size < 1 else 'more'} contrast, {size:g} times as much",
        scale="contrast, times",
        unit="{} times",
        sizes=_around(1, 0.15),
        identity=1,
        natural=0.3,
        make=lambda picture, size: ImageEnhance.Contrast(picture).enhance(size),
    ),
    Transform(
        name="blur",
        words="blurring",
        done=lambda size: f"blurred by {size:g} % of their shorter side",
        scale="blur, % of the shorter side",
        unit="{} % of the shorter side",
        sizes=_from(0, 0.2),
        natural=0.6,
        make=_blurred,
    ),
    Transform(
        name="jpeg",
        words="JPEG compression",
        done=lambda size: f"saved as JPEG of quality {_quality(size)}",
        scale="JPEG, 100 - quality; 0 is none",
        unit="quality {quality}",
        sizes=(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
        natural=50,
        make=_compressed,
    ),
    Transform(
        name="hue",
        words="turning the hue",
        done=lambda size: f"turned by {size:g} degrees of hue",
        scale="hue turned, degrees",
        unit="{} degrees of hue",
        sizes=_around(0, 18),
        natural=18,
        make=_other_hue,
        of_colour=True,
    ),
)
TRANSFORM_OF: Final[Mapping[str, Transform]] = {each.name: each for each in TRANSFORMS}

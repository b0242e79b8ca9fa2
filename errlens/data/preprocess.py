"""Bring an image to the size a model expects, pixel for pixel as timm does, without torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CropMode = Literal["center", "squash", "border"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]

CROP_MODES: Final[tuple[str, ...]] = get_args(CropMode)
INTERPOLATIONS: Final[tuple[str, ...]] = get_args(Interpolation)

_RESAMPLING: Final = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
    "lanczos": Image.Resampling.LANCZOS,
}

THREAD: Final = 100  # a photo so many times longer than wide is like a thread
_LARGEST_STRIP: Final = 2**27  # pixels, of four bytes each, that a thread may be resized to
_SMOOTH: Final = ("bilinear", "bicubic", "hamming", "lanczos")
_REACH: Final = 4  # squares beyond the crop; Lanczos looks at three pixels to either side


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input, in the terms of timm's data configuration.

    `img_size` is (height, width) in pixels; `crop_pct` is the share of the resized image that the
    crop keeps; `mean` and `std` are per channel as fed, for pixels scaled to 0..1. `bgr` feeds
    blue first, as OpenCV reads files.
    """

    img_size: tuple[int, int]
    crop_pct: float
    crop_mode: CropMode
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    exif: bool = False
    bgr: bool = False

    @property
    def image_mode(self) -> str:
        """Pillow's mode for the number of channels."""
        return "L" if len(self.mean) == 1 else "RGB"

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for `run.json`."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "Preprocessing":
        """Read what `as_dict` wrote."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in settings.items()
        }
        return cls(**plain)

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the image as fed, before scaling: uint8 of shape (height, width, channels)."""
        pixels = np.asarray(self.fit(image))
        if pixels.ndim == 2:
            return pixels[:, :, np.newaxis]
        return pixels[:, :, ::-1] if self.bgr else pixels

    def fit(self, image: Image.Image) -> Image.Image:
        """Resize and crop to `img_size`, as timm's evaluation transform does."""
        scaled = tuple(math.floor(side / self.crop_pct) for side in self.img_size)
        if self.crop_mode == "squash":
            return self._crop(self._resize(image, *scaled))
        if self.crop_mode == "border":
            fill = tuple(round(255 * value) for value in self.mean)
            return self._crop(self._resize(image, *_inside(image, scaled)), fill=fill)
        if max(image.size) >= THREAD * min(image.size):
            image = self._without_ends(image, scaled)
        return self._crop(self._resize(image, *_covering(image, scaled)))

    def _without_ends(self, image: Image.Image, scaled: tuple[int, ...]) -> Image.Image:
        """Cut off the ends of a thread that the centre crop drops, before they are enlarged.

        The pixels in the crop stay the same, and therefore this is done only where squares of the
        thread become squares of whole pixels, and only for filters without jumps.

        Raises:
            ValueError: What remains is too long to be resized.
        """
        height, width = _covering(image, scaled)
        side, scaled_side = min(image.size), min(height, width)
        if self.interpolation in _SMOOTH and height * image.width == width * image.height:
            kept = math.ceil(max(*self.img_size, *scaled) / scaled_side) + 2 * _REACH
            ends = max(0, max(image.size) // side - kept) // 4 * 2  # even: the crop rounds to even
            image = _shortened(image, ends * side)
        elif height * width > _LARGEST_STRIP:
            raise ValueError(f"resized it would be {width} x {height}")
        return image

    def _resize(self, image: Image.Image, height: int, width: int) -> Image.Image:
        if image.size == (width, height):
            return image
        return image.resize((width, height), _RESAMPLING[self.interpolation])

    def _crop(self, image: Image.Image, *, fill: tuple[int, ...] = ()) -> Image.Image:
        """Cut out the centre, padding with `fill` (default black) where the image is too small."""
        height, width = self.img_size
        padded_width, padded_height = max(image.width, width), max(image.height, height)
        if (padded_width, padded_height) != image.size:
            black = (0,) * len(image.getbands())
            colour = fill or black
            padded = Image.new(
                image.mode, (padded_width, padded_height), colour if len(colour) > 1 else colour[0]
            )
            padded.paste(
                image, ((padded_width - image.width) // 2, (padded_height - image.height) // 2)
            )
            image = padded
        left, top = round((image.width - width) / 2), round((image.height - height) / 2)
        return image.crop((left, top, left + width, top + height))


def _shortened(image: Image.Image, by: int) -> Image.Image:
    """Cut pixels off both ends of the longer side."""
    across, down = (0, by) if image.width <= image.height else (by, 0)
    return image.crop((across, down, image.width - across, image.height - down))


def _covering(image: Image.Image, target: tuple[int, ...]) -> tuple[int, int]:
    """Return (height, width) of the smallest image of this shape that covers the target."""
    if target[0] == target[1]:
        # torchvision truncates the longer side here where timm, below, rounds it.
        short, long = sorted(image.size)
        longer = int(target[0] * long / short)
        return (longer, target[0]) if image.width <= image.height else (target[0], longer)
    return _scaled(image, min(image.height / target[0], image.width / target[1]))


def _inside(image: Image.Image, target: tuple[int, ...]) -> tuple[int, int]:
    """Return (height, width) of the largest image of this shape that fits into the target."""
    return _scaled(image, max(image.height / target[0], image.width / target[1]))


def _scaled(image: Image.Image, ratio: float) -> tuple[int, int]:
    return round(image.height / ratio), round(image.width / ratio)

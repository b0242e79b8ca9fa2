"""Bring an image to the size a model expects, pixel for pixel as timm does, without torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from errlens.choices import CropMode, Interpolation
from errlens.errors import NotARun
from errlens.run.metrics_file import first_problem

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels

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

VERY_LONG: Final = 100  # a photo is where it is so many times longer than wide
_LARGEST_STRIP: Final = 2**27  # pixels of four bytes that a very long photo may become
_SMOOTH: Final = ("bilinear", "bicubic", "hamming", "lanczos")
_REACH: Final = 4  # squares beyond the crop; Lanczos looks at three pixels to either side


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input, in the terms of timm's data configuration.

    `img_size` is (height, width) in pixels; `crop_pct` is the share of the resized image that the
    crop keeps; `mean` and `std` are per channel as fed, for pixels scaled to 0..1. `bgr` feeds
    blue first, as OpenCV reads files. `exif` and `scale_16bit` are about reading: see `decode`.
    """

    img_size: tuple[int, int]
    crop_pct: float
    crop_mode: CropMode
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    exif: bool = False
    bgr: bool = False
    scale_16bit: bool = False

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
        """Read what `as_dict` wrote into `run.json`.

        Raises:
            NotARun: It is no preprocessing, or one that would fill the memory.
        """
        try:
            preprocessing = _checking().validate_python(settings)
        except ValidationError as error:
            problem = first_problem(error)
        else:
            if preprocessing._is_usable:
                return preprocessing
            problem = "it makes no image, or too large a one"
        raise NotARun(f"the preprocessing that run.json records is damaged: {problem}")

    @property
    def _is_usable(self) -> bool:
        channels = len(self.mean)
        return (
            min(self.img_size) > 0
            and 0 < self.crop_pct < math.inf
            and math.prod(self.img_size) / self.crop_pct**2 <= _LARGEST_STRIP
            and channels in (1, 3)
            and len(self.std) == channels
            and all(map(math.isfinite, (*self.mean, *self.std)))
            and all(self.std)
        )

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the image as fed, before scaling: uint8 of shape (height, width, channels)."""
        return self.as_fed(self.fit(image))

    def as_fed(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return a picture of `img_size` as it is fed: its channels last, in their order."""
        pixels = np.asarray(picture)
        if pixels.ndim == 2:
            return pixels[:, :, np.newaxis]
        return pixels[:, :, ::-1] if self.bgr else pixels

    def fit(self, image: Image.Image) -> Image.Image:
        """Resize and crop to `img_size`, as timm's evaluation transform does."""
        plan = self._plan(*image.size)
        if plan.across or plan.down:
            image = image.crop(
                (plan.across, plan.down, image.width - plan.across, image.height - plan.down)
            )
        return self._crop(self._resize(image, plan.height, plan.width))

    def source_box(self, width: int, height: int) -> Box:
        """Return the rectangle of a photo that the input covers, in pixels of the photo.

        It is left, top, right, bottom, with 0, 0 in the photo's upper left corner, and reaches
        beyond the photo where the input is padded.

        Args:
            width: Of the photo as it is given to `fit`, with `exif` after it was turned.
            height: Likewise, in pixels.

        Raises:
            ValueError: The photo is so thin that it cannot be fitted.
        """
        plan = self._plan(width, height)
        across = (width - 2 * plan.across) / plan.width  # pixels of the photo for one as fed
        down = (height - 2 * plan.down) / plan.height
        left = plan.across + across * _start(plan.width, self.img_size[1])
        top = plan.down + down * _start(plan.height, self.img_size[0])
        return left, top, left + across * self.img_size[1], top + down * self.img_size[0]

    def _plan(self, width: int, height: int) -> "_Plan":
        """Return what is done to a photo of this size before it is cropped or padded.

        Raises:
            ValueError: No pixel is left of its width or height, or it is too long to be resized.
        """
        scaled = tuple(math.floor(side / self.crop_pct) for side in self.img_size)
        across, down = 0, 0
        if self.crop_mode == "squash":
            resized = scaled[0], scaled[1]
        elif self.crop_mode == "border":
            resized = _inside(width, height, scaled)
        else:
            ends = self._ends(width, height, scaled)
            across, down = (0, ends) if width <= height else (ends, 0)
            resized = _covering(width - 2 * across, height - 2 * down, scaled)
        if min(resized) < 1:
            raise ValueError("height and width must be at least a pixel after resizing")
        return _Plan(across, down, *resized)

    def _ends(self, width: int, height: int, scaled: tuple[int, ...]) -> int:
        """Return how much of both ends of a very long photo is cut off before it is enlarged.

        It is in pixels. The centre crop drops them anyway. The pixels in the crop stay the same,
        and therefore this is done only where squares of the photo become squares of whole pixels,
        and only for filters without jumps.

        Raises:
            ValueError: What remains is too long to be resized.
        """
        short, long = sorted((width, height))
        if long < VERY_LONG * short:
            return 0
        high, wide = _covering(width, height, scaled)
        if self.interpolation in _SMOOTH and high * width == wide * height:
            kept = math.ceil(max(*self.img_size, *scaled) / min(high, wide)) + 2 * _REACH
            # An even number of squares: the crop rounds to even.
            return max(0, long // short - kept) // 4 * 2 * short
        if high * wide > _LARGEST_STRIP:
            raise ValueError(f"resized it would be {wide} x {high}")
        return 0

    def _resize(self, image: Image.Image, height: int, width: int) -> Image.Image:
        if image.size == (width, height):
            return image
        return image.resize((width, height), _RESAMPLING[self.interpolation])

    def _crop(self, image: Image.Image) -> Image.Image:
        """Cut out the centre, padding where the image is too small: black, or a border's mean."""
        height, width = self.img_size
        left, top = _start(image.width, width), _start(image.height, height)
        if self.crop_mode != "border":
            return image.crop((left, top, left + width, top + height))
        fill = tuple(round(255 * value) for value in self.mean)
        padded = Image.new(image.mode, (width, height), fill if len(fill) > 1 else fill[0])
        padded.paste(image, (-left, -top))
        return padded


@cache
def _checking() -> TypeAdapter[Preprocessing]:
    return TypeAdapter(Preprocessing)


class _Plan(NamedTuple):
    """Pixels to cut off at the left and right, and above and below; then the size to resize to."""

    across: int
    down: int
    height: int
    width: int


def _start(side: int, target: int) -> int:
    """Return where the centre crop begins on a side, in pixels; below 0 if the side is padded.

    >>> _start(10, 7), _start(7, 10)
    (2, -1)
    """
    return round((side - target) / 2) if side >= target else -((target - side) // 2)


def _covering(width: int, height: int, target: tuple[int, ...]) -> tuple[int, int]:
    """Return (height, width) of the smallest image of this shape that covers the target."""
    if target[0] == target[1]:
        # torchvision truncates the longer side here where timm, below, rounds it.
        short, long = sorted((width, height))
        longer = int(target[0] * long / short)
        return (longer, target[0]) if width <= height else (target[0], longer)
    return _scaled(width, height, min(height / target[0], width / target[1]))


def _inside(width: int, height: int, target: tuple[int, ...]) -> tuple[int, int]:
    """Return (height, width) of the largest image of this shape that fits into the target."""
    return _scaled(width, height, max(height / target[0], width / target[1]))


def _scaled(width: int, height: int, ratio: float) -> tuple[int, int]:
    return round(height / ratio), round(width / ratio)

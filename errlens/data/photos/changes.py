"""Changes of the input with which a model is asked again: what each is called, does and would mean.

A change acts on the picture as it is fed, on the photo before it is resized, or on the settings of
the preprocessing. What becomes of the pixels alone is done to the picture as fed, which is small.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from errlens.data.photos.preprocess import Preprocessing

Picture = Callable[[Image.Image], Image.Image]
Settings = Callable[[Preprocessing], Mapping[str, Any] | str]

CLOSER: Final = 0.75  # of the crop in use
LARGER: Final = 1.5  # times the side of the network's input
_SIDES_OF: Final = 32  # pixels that sides are multiples of, as many networks want it
_UNIFORM: Final = 12  # how far the values of a border may lie apart; JPEG leaves some
_LEAST_BORDER: Final = 0.03  # of a side, at one end
_LEAST_LEFT: Final = 0.2  # of a side, within its borders
_FINEST: Final = 100  # a blur of one pixel on a picture of this many pixels


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of the input; one of `picture`, `photo`, `settings` and `upright` does it.

    Attributes:
        name: For programs and the columns of tables.
        words: What it is called, as the beginning of a sentence.
        seems: What is likely where it repairs more errors than by luck, of "these photos".
        mend: What a person would do about it.
        picture: What is done to the picture as fed.
        turns: Width and height are exchanged, so that a picture as fed must be square.
        photo: What is done to the photo before it is resized.
        settings: What it replaces in the preprocessing, or why that changes nothing.
        upright: The photo is turned as its EXIF says.
    """

    name: str
    words: str
    seems: str
    mend: str
    picture: Picture | None = None
    turns: bool = False
    photo: Picture | None = None
    settings: Settings | None = None
    upright: bool = False


def _turned(way: Image.Transpose) -> Picture:
    return lambda image: image.transpose(way)


def _mapped(curve: Callable[[float], float]) -> Picture:
    """Return what maps every value of a channel, 0 to 1, to another one."""
    table = [round(255 * curve(value / 255)) for value in range(256)]
    return lambda image: image.point(table * len(image.getbands()))


def _without_colour(image: Image.Image) -> Image.Image:
    return image.convert("L").convert(image.mode)


def _blue_first(image: Image.Image) -> Image.Image:
    return Image.merge(image.mode, image.split()[::-1])


def _stretched(image: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(image, cutoff=1, preserve_tone=True)


def _without_cast(image: Image.Image) -> Image.Image:
    """Scale the channels to the same mean: the grey world of G. Buchsbaum, 1980."""
    pixels = np.asarray(image, np.float32)
    if pixels.ndim == 2:
        return image
    means = pixels.mean(axis=(0, 1))
    scaled = pixels * (means.mean() / np.maximum(means, 1))
    return Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))


def _fine(image: Image.Image) -> float:
    """Return how many pixels a fine detail of a picture is wide."""
    return max(1.0, min(image.size) / _FINEST)


def _sharpened(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(radius=2 * _fine(image), percent=200, threshold=0))


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(_fine(image)))


def _denoised(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.MedianFilter(3))


def without_borders(image: Image.Image) -> Image.Image:
    """Cut off borders of one colour; the same image where there are none, or nothing else."""
    pixels = np.asarray(image)
    top, bottom = _borders(pixels)
    left, right = _borders(pixels.swapaxes(0, 1))
    width, height = image.size
    within = (left, top, width - right, height - bottom)
    if within[2] - left < _LEAST_LEFT * width or within[3] - top < _LEAST_LEFT * height:
        return image
    return image.crop(within) if any((left, top, right, bottom)) else image


def _borders(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many rows at the top, and at the bottom, are all of the colour of the outermost.

    `pixels` are of shape (rows, columns) or (rows, columns, channels).
    """
    return _border(pixels), _border(pixels[::-1])


def _border(pixels: NDArray[np.uint8]) -> int:
    across = tuple(range(1, 2))
    low, high = pixels.min(axis=across).astype(int), pixels.max(axis=across).astype(int)
    if low.ndim == 1:
        low, high = low[:, None], high[:, None]
    spread = np.maximum(high, high[0]) - np.minimum(low, low[0])
    other = np.flatnonzero((spread > _UNIFORM).any(axis=1))
    depth = int(other[0]) if len(other) else len(pixels)
    return depth if depth >= _LEAST_BORDER * len(pixels) else 0


def _letterbox(used: Preprocessing) -> Mapping[str, Any] | str:
    if used.crop_mode == "border" and used.crop_pct == 1:
        return "the whole image is fed like that already"
    return {"crop_mode": "border", "crop_pct": 1.0}


def _squash(used: Preprocessing) -> Mapping[str, Any] | str:
    if used.crop_mode == "squash" and used.crop_pct == 1:
        return "the whole image is fed like that already"
    return {"crop_mode": "squash", "crop_pct": 1.0}


def _wider(used: Preprocessing) -> Mapping[str, Any] | str:
    return {"crop_pct": 1.0} if used.crop_pct < 1 else "nothing is cropped off"


def _closer(used: Preprocessing) -> Mapping[str, Any] | str:
    return {"crop_pct": min(1.0, used.crop_pct) * CLOSER}


def _larger(used: Preprocessing) -> Mapping[str, Any] | str:
    sides = (max(1, round(side * LARGER / _SIDES_OF)) * _SIDES_OF for side in used.img_size)
    size = tuple(sides)
    return {"img_size": size} if size > used.img_size else "the input is too small to tell"


def _other_filter(used: Preprocessing) -> Mapping[str, Any] | str:
    return {"interpolation": "bicubic" if used.interpolation == "bilinear" else "bilinear"}


_TURN_THEM: Final = "turn the files, in training data too if they are like that"
_FEED: Final = "evaluate with"

CHANGES: Final = (
    Change(
        name="turn_90",
        words="a quarter turn to the left",
        seems="lie on their side",
        mend=_TURN_THEM,
        picture=_turned(Image.Transpose.ROTATE_90),
        turns=True,
    ),
    Change(
        name="turn_180",
        words="a half turn",
        seems="are upside down",
        mend=_TURN_THEM,
        picture=_turned(Image.Transpose.ROTATE_180),
    ),
    Change(
        name="turn_270",
        words="a quarter turn to the right",
        seems="lie on their side",
        mend=_TURN_THEM,
        picture=_turned(Image.Transpose.ROTATE_270),
        turns=True,
    ),
    Change(
        name="mirror",
        words="mirroring left and right",
        seems="are mirrored",
        mend="mirror the files, or train with mirrored photos as well",
        picture=_turned(Image.Transpose.FLIP_LEFT_RIGHT),
    ),
    Change(
        name="flip",
        words="mirroring top and bottom",
        seems="stand on their head",
        mend="mirror the files",
        picture=_turned(Image.Transpose.FLIP_TOP_BOTTOM),
    ),
    Change(
        name="exif",
        words="turning as EXIF says",
        seems="are turned only in viewers that read EXIF",
        mend=f"{_FEED} --exif",
        upright=True,
    ),
    Change(
        name="letterbox",
        words="feeding the whole image, letterboxed,",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-mode border --crop-pct 1",
        settings=_letterbox,
    ),
    Change(
        name="squash",
        words="feeding the whole image, squashed,",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-mode squash --crop-pct 1",
        settings=_squash,
    ),
    Change(
        name="wider",
        words="a wider crop",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-pct 1",
        settings=_wider,
    ),
    Change(
        name="closer",
        words="a narrower crop",
        seems="show their objects too small",
        mend="crop the photos to their objects",
        settings=_closer,
    ),
    Change(
        name="borders_off",
        words="cutting off borders of one colour",
        seems="have borders that were not in training",
        mend="cut the borders off the files",
        photo=without_borders,
    ),
    Change(
        name="larger",
        words="a higher resolution",
        seems="need more detail than is fed",
        mend=f"{_FEED} a larger --img-size",
        settings=_larger,
    ),
    Change(
        name="other_filter",
        words="another interpolation",
        seems="are resized in another way than in training",
        mend=f"{_FEED} another --interpolation",
        settings=_other_filter,
    ),
    Change(
        name="autocontrast",
        words="stretching the contrast",
        seems="have too little contrast",
        mend="correct the exposure, or train with such photos",
        picture=_stretched,
    ),
    Change(
        name="lighter",
        words="making them lighter",
        seems="are too dark",
        mend="correct the exposure, or train with such photos",
        picture=_mapped(lambda value: value**0.5),
    ),
    Change(
        name="darker",
        words="making them darker",
        seems="are too light",
        mend="correct the exposure, or train with such photos",
        picture=_mapped(lambda value: value**2),
    ),
    Change(
        name="sharper",
        words="sharpening",
        seems="are blurred",
        mend="look at focus, scaling and compression, or train with such photos",
        picture=_sharpened,
    ),
    Change(
        name="smoother",
        words="a slight blur",
        seems="are sharper, or noisier, than those in training",
        mend="look at scaling and sharpening, or train with such photos",
        picture=_blurred,
    ),
    Change(
        name="denoised",
        words="removing noise",
        seems="are noisy",
        mend="remove the noise, or train with such photos",
        picture=_denoised,
    ),
    Change(
        name="grey",
        words="taking the colour away",
        seems="have misleading colours",
        mend="look at the colours, or train with varied ones",
        picture=_without_colour,
    ),
    Change(
        name="balanced",
        words="removing the colour cast",
        seems="have a colour cast",
        mend="look at the white balance, or train with varied colours",
        picture=_without_cast,
    ),
    Change(
        name="blue_first",
        words="exchanging red and blue",
        seems="have red and blue exchanged",
        mend=f"save the files again with red first; where all are like that, {_FEED} --bgr",
        picture=_blue_first,
    ),
    Change(
        name="inverted",
        words="inverting",
        seems="are negatives",
        mend="invert the files",
        picture=ImageOps.invert,
    ),
)
CHANGE_OF: Final[Mapping[str, Change]] = {change.name: change for change in CHANGES}
# Of a network of one channel these change nothing.
OF_COLOUR: Final = ("grey", "balanced", "blue_first")

"""Changes of the input with which a model is asked again: what each is called, does and would mean.

A change acts on the picture as it is fed, on the photo before it is resized, or on the settings of
the preprocessing. What becomes of the pixels alone is done to the picture as fed, which is small.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageOps

from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.retouching import (
    Picture,
    blue_first,
    blurred,
    denoised,
    mapped,
    sharpened,
    stretched,
    turned,
    without_borders,
    without_cast,
    without_colour,
)

Settings = Callable[[Preprocessing], Mapping[str, Any] | str]

CLOSER: Final = 0.75  # of the crop in use
LARGER: Final = 1.5  # times the side of the network's input
_SIDES_OF: Final = 32  # pixels that sides are multiples of, as many networks want it


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of the input; one of `picture`, `photo`, `settings` and `upright` does it.

    Attributes:
        name: For programs and the columns of tables.
        family: Of changes that may mend the same cause; by the others it is told what is luck.
        words: What it is called, as the beginning of a sentence.
        seems: What is likely where it repairs more than by luck, after "these photos seem to".
        mend: What a person would do about it.
        picture: What is done to the picture as fed.
        turns: Width and height are exchanged, so that a picture as fed must be square.
        photo: What is done to the photo before it is resized.
        settings: What it replaces in the preprocessing, or why that changes nothing.
        upright: The photo is turned as its EXIF says.
    """

    name: str
    family: str
    words: str
    seems: str
    mend: str
    picture: Picture = lambda image: image
    turns: bool = False
    photo: Picture | None = None
    settings: Settings | None = None
    upright: bool = False


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
        family="turned",
        words="a quarter turn to the left",
        seems="lie on their side",
        mend=_TURN_THEM,
        picture=turned(Image.Transpose.ROTATE_90),
        turns=True,
    ),
    Change(
        name="turn_180",
        family="turned",
        words="a half turn",
        seems="be upside down",
        mend=_TURN_THEM,
        picture=turned(Image.Transpose.ROTATE_180),
    ),
    Change(
        name="turn_270",
        family="turned",
        words="a quarter turn to the right",
        seems="lie on their side",
        mend=_TURN_THEM,
        picture=turned(Image.Transpose.ROTATE_270),
        turns=True,
    ),
    Change(
        name="mirror",
        family="turned",
        words="mirroring left and right",
        seems="be mirrored",
        mend="mirror the files, or train with mirrored photos as well",
        picture=turned(Image.Transpose.FLIP_LEFT_RIGHT),
    ),
    Change(
        name="flip",
        family="turned",
        words="mirroring top and bottom",
        seems="stand on their head",
        mend="mirror the files",
        picture=turned(Image.Transpose.FLIP_TOP_BOTTOM),
    ),
    Change(
        name="exif",
        family="turned",
        words="turning as EXIF says",
        seems="be turned only in viewers that read EXIF",
        mend=f"{_FEED} --exif",
        upright=True,
    ),
    Change(
        name="letterbox",
        family="crop",
        words="feeding the whole image, letterboxed,",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-mode border --crop-pct 1",
        settings=_letterbox,
    ),
    Change(
        name="squash",
        family="crop",
        words="feeding the whole image, squashed,",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-mode squash --crop-pct 1",
        settings=_squash,
    ),
    Change(
        name="wider",
        family="crop",
        words="a wider crop",
        seems="lose what counts to the crop",
        mend=f"{_FEED} --crop-pct 1",
        settings=_wider,
    ),
    Change(
        name="closer",
        family="crop",
        words="a narrower crop",
        seems="show their objects too small",
        mend="crop the photos to their objects",
        settings=_closer,
    ),
    Change(
        name="borders_off",
        family="crop",
        words="cutting off borders of one colour",
        seems="have borders that were not in training",
        mend="cut the borders off the files",
        photo=without_borders,
    ),
    Change(
        name="larger",
        family="detail",
        words="a higher resolution",
        seems="need more detail than is fed",
        mend=f"{_FEED} a larger --img-size",
        settings=_larger,
    ),
    Change(
        name="other_filter",
        family="detail",
        words="another interpolation",
        seems="be resized in another way than in training",
        mend=f"{_FEED} another --interpolation",
        settings=_other_filter,
    ),
    Change(
        name="autocontrast",
        family="light",
        words="stretching the contrast",
        seems="be too dark, too light or too flat",
        mend="correct the exposure, or train with such photos",
        picture=stretched,
    ),
    Change(
        name="lighter",
        family="light",
        words="making them lighter",
        seems="be too dark",
        mend="correct the exposure, or train with such photos",
        picture=mapped(lambda value: value**0.5),
    ),
    Change(
        name="darker",
        family="light",
        words="making them darker",
        seems="be too light",
        mend="correct the exposure, or train with such photos",
        picture=mapped(lambda value: value**2),
    ),
    Change(
        name="sharper",
        family="detail",
        words="sharpening",
        seems="be blurred",
        mend="look at focus, scaling and compression, or train with such photos",
        picture=sharpened,
    ),
    Change(
        name="smoother",
        family="detail",
        words="a slight blur",
        seems="be sharper, or noisier, than those in training",
        mend="look at scaling and sharpening, or train with such photos",
        picture=blurred,
    ),
    Change(
        name="denoised",
        family="detail",
        words="removing noise",
        seems="be noisy",
        mend="remove the noise, or train with such photos",
        picture=denoised,
    ),
    Change(
        name="grey",
        family="colour",
        words="taking the colour away",
        seems="have misleading colours",
        mend="look at the colours, or train with varied ones",
        picture=without_colour,
    ),
    Change(
        name="balanced",
        family="colour",
        words="removing the colour cast",
        seems="have a colour cast",
        mend="look at the white balance, or train with varied colours",
        picture=without_cast,
    ),
    Change(
        name="blue_first",
        family="colour",
        words="exchanging red and blue",
        seems="have red and blue exchanged",
        mend=f"save the files again with red first; where all are like that, {_FEED} --bgr",
        picture=blue_first,
    ),
    Change(
        name="inverted",
        family="negative",
        words="inverting",
        seems="be negatives",
        mend="invert the files",
        picture=ImageOps.invert,
    ),
)
CHANGE_OF: Final[Mapping[str, Change]] = {change.name: change for change in CHANGES}
# Of a network of one channel these change nothing.
OF_COLOUR: Final = ("grey", "balanced", "blue_first")

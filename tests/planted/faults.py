"""Faults to be planted into photos, one or several at a time, and the findings that name them.

What a fault touches is known, so it can be told whether `errlens diagnose` names it: by a finding
of the right kind about the right property, side, class or column, whose images are those touched.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Change = Callable[[Image.Image, float, np.random.Generator], Image.Image]
# The kind of a finding, and what its subject may say, by the keys of that.
Answer = tuple[str, Mapping[str, frozenset[object]]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something done to a part of the photos, or of their labels.

    `share` of the images are touched: of all, or of one class. `column` is one of a manifest that
    tells which are: `mark` is its value for those, and any of `others` for the rest. `answers` are
    the findings that name the fault; `{class}` stands for the class touched.
    """

    name: str
    strengths: Sequence[float]
    answers: Sequence[Answer]
    change: Change | None = None
    share: float = 0.25
    one_class: bool = False
    relabel: bool = False
    copies: bool = False
    column: str | None = None
    mark: str = "B"
    others: Sequence[str] = ("A", "C", "D")
    exif: int | None = None


def says(kind: str, **values: object) -> Answer:
    """Return an answer: each value is one that the subject may have, or a tuple of several."""
    return kind, {
        key: frozenset(value if isinstance(value, tuple) else (value,))
        for key, value in values.items()
    }


def darker(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(photo).enhance(1 - strength)


def overexposed(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(photo).enhance(1 + strength)


def flat(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Contrast(photo).enhance(1 - strength)


def blurred(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(strength * photo.width / 32))


def grey(photo: Image.Image, _strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageOps.grayscale(photo).convert("RGB")


def bluish(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(photo, float) * [1 - strength, 1 - strength / 2, 1]
    return Image.fromarray(pixels.round().astype(np.uint8))


def letterboxed(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    bar = round(strength * photo.height)
    inner = photo.resize((photo.width, photo.height - 2 * bar), Image.Resampling.BICUBIC)
    paper = Image.new("RGB", photo.size)
    paper.paste(inner, (0, bar))
    return paper


def stretched(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    """Crop to a strip and keep it a strip: fed squashed, it is not what it was."""
    cut = round(photo.height * (1 - 1 / (1 + strength)) / 2)
    return photo.crop((0, cut, photo.width, photo.height - cut))


def small(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    side = max(2, round(photo.width * (1 - strength)))
    return photo.resize((side, side), Image.Resampling.BICUBIC)


def turned(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return photo.rotate(90 * strength, expand=True)


def exchanged(photo: Image.Image, _strength: float, _rng: np.random.Generator) -> Image.Image:
    red, green, blue = photo.split()
    return Image.merge("RGB", (blue, green, red))


def negative(photo: Image.Image, _strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageOps.invert(photo)


def stamped(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    """Put a striped stamp into the lower right corner."""
    paper, side = photo.copy(), round(strength * photo.width)
    left, top = photo.width - side, photo.height - side
    draw = ImageDraw.Draw(paper)
    step = max(1, side // 5)
    for number, at in enumerate(range(0, side, step)):
        box = (left, top + at, photo.width - 1, min(photo.height, top + at + step) - 1)
        draw.rectangle(box, fill=((230, 20, 30), (250, 240, 20))[number % 2])
    return paper


_DARK = says("slice", property=("brightness", "contrast"), side="low")
_TURNS = ("turn_90", "turn_180", "turn_270")

FAULTS: Final = (
    Fault(
        name="dark",
        strengths=(0.6, 0.75, 0.85),
        change=darker,
        answers=(_DARK, says("repair", change=("autocontrast", "lighter"))),
    ),
    Fault(
        name="overexposed",
        strengths=(0.8, 1.2, 1.8),
        change=overexposed,
        answers=(
            says("slice", property="brightness", side="high"),
            says("repair", change="darker"),
        ),
    ),
    Fault(
        name="flat",
        strengths=(0.6, 0.75, 0.85),
        change=flat,
        answers=(
            says("slice", property="contrast", side="low"),
            says("repair", change="autocontrast"),
        ),
    ),
    Fault(
        name="blurred",
        strengths=(0.8, 1.1, 1.6),
        change=blurred,
        answers=(says("slice", property="sharpness", side="low"), says("repair", change="sharper")),
    ),
    Fault(
        name="grey",
        strengths=(1,),
        change=grey,
        answers=(says("slice", property=("greyscale", "saturation")),),
    ),
    Fault(
        name="bluish",
        strengths=(0.5, 0.7),
        change=bluish,
        answers=(
            says("slice", property=("red_green", "blue_yellow", "saturation")),
            says("repair", change=("balanced", "blue_first")),
        ),
    ),
    Fault(
        name="letterboxed",
        strengths=(0.15, 0.25),
        change=letterboxed,
        answers=(
            says("slice", property="border", side="high"),
            says("patch"),
            says("repair", change=("borders_off", "closer")),
        ),
    ),
    Fault(
        name="stretched",
        strengths=(0.6, 1.0),
        change=stretched,
        answers=(says("slice", property=("aspect", "height")),),
    ),
    Fault(
        name="small",
        strengths=(0.5, 0.65),
        change=small,
        answers=(says("slice", property=("width", "height", "sharpness"), side="low"),),
    ),
    Fault(
        name="turned class",
        strengths=(1, 3),
        change=turned,
        share=0.5,
        one_class=True,
        answers=(says("repair", change=_TURNS, **{"class": "{class}"}),),
    ),
    Fault(
        name="upside-down site",
        strengths=(2,),
        change=turned,
        column="site",
        answers=(says("slice", property="site", value="B"), says("repair", change=_TURNS)),
    ),
    Fault(
        name="sideways",
        strengths=(1, 3),
        change=turned,
        answers=(says("repair", change=_TURNS),),
    ),
    Fault(
        name="careless annotator",
        strengths=(0.4,),
        relabel=True,
        column="annotator",
        answers=(says("slice", property="annotator", value="B"), says("label_issue")),
    ),
    Fault(
        name="swapped labels",
        strengths=(1,),
        relabel=True,
        share=0.06,
        answers=(says("label_issue"),),
    ),
    Fault(
        name="channels exchanged",
        strengths=(1,),
        change=exchanged,
        share=0.3,
        answers=(says("repair", change=("blue_first", "balanced")),),
    ),
    Fault(
        name="negative",
        strengths=(1,),
        change=negative,
        share=0.2,
        answers=(
            says("repair", change="inverted"),
            says("slice", property=("red_green", "blue_yellow", "brightness")),
        ),
    ),
    Fault(
        name="stamp",
        strengths=(0.4, 0.55),
        change=stamped,
        share=0.3,
        answers=(says("patch"), says("place")),
    ),
    Fault(
        name="copies under two labels",
        strengths=(1,),
        copies=True,
        relabel=True,
        share=0.05,
        answers=(says("duplicate"), says("label_issue")),
    ),
    Fault(
        name="EXIF orientation",
        strengths=(1, 3),
        change=turned,
        exif=8,
        answers=(
            says("slice", property="exif_orientation"),
            says("repair", change=(*_TURNS, "exif")),
        ),
    ),
)

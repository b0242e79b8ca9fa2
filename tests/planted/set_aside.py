"""Faults that no rule of `errlens diagnose` was tuned on; they were tried once, at the end."""

from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from tests.planted.faults import Fault, says


def desaturated(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Color(photo).enhance(1 - strength)


def motion(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    """Smear along the lines, over `strength` of 32 pixels."""
    pixels = np.asarray(photo, float)
    shifts = range(round(strength * photo.width / 32) + 1)
    smeared = np.mean([np.roll(pixels, shift, axis=1) for shift in shifts], axis=0)
    return Image.fromarray(smeared.round().astype(np.uint8))


def pixelated(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    side = max(2, round(photo.width / strength))
    return photo.resize((side, side), Image.Resampling.BOX).resize(
        photo.size, Image.Resampling.NEAREST
    )


def noisy(photo: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(photo, float) + rng.normal(0, 255 * strength, (*photo.size[::-1], 3))
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def yellowish(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(photo, float) * [1, 1, 1 - strength]
    return Image.fromarray(pixels.round().astype(np.uint8))


def framed(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    """Put a white frame around the photo, over its edge."""
    edge = round(strength * photo.width)
    paper = Image.new("RGB", photo.size, (255, 255, 255))
    inner = photo.crop((edge, edge, photo.width - edge, photo.height - edge))
    paper.paste(inner, (edge, edge))
    return paper


def ruler(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    """Lay a ruler with marks along the left edge."""
    pixels = np.asarray(photo).copy()
    wide = round(strength * photo.width)
    pixels[:, :wide] = (240, 235, 200)
    pixels[:: max(2, photo.height // 10), :wide] = (20, 20, 20)
    return Image.fromarray(pixels)


def mirrored_upside(photo: Image.Image, _strength: float, _rng: np.random.Generator) -> Image.Image:
    return photo.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def faint_blur(photo: Image.Image, strength: float, _rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.BoxBlur(strength * photo.width / 32))


SET_ASIDE: Final = (
    Fault(
        name="desaturated",
        strengths=(0.9,),
        change=desaturated,
        share=0.3,
        answers=(says("slice", property=("saturation", "greyscale")),),
    ),
    Fault(
        name="motion",
        strengths=(5, 8),
        change=motion,
        share=0.15,
        answers=(says("slice", property="sharpness"), says("repair", change="sharper")),
    ),
    Fault(
        name="pixelated",
        strengths=(3, 4),
        change=pixelated,
        share=0.2,
        answers=(
            says("slice", property="sharpness"),
            says("repair", change=("smoother", "denoised")),
        ),
    ),
    Fault(
        name="noisy",
        strengths=(0.12, 0.2),
        change=noisy,
        share=0.2,
        answers=(
            says("slice", property=("sharpness", "contrast", "saturation"), side="high"),
            says("repair", change=("smoother", "denoised")),
        ),
    ),
    Fault(
        name="yellowish",
        strengths=(0.7,),
        change=yellowish,
        answers=(says("slice", property=("red_green", "blue_yellow", "saturation")),),
    ),
    Fault(
        name="framed",
        strengths=(0.15, 0.22),
        change=framed,
        share=0.2,
        answers=(says("slice", property="border"), says("patch")),
    ),
    Fault(
        name="ruler",
        strengths=(0.2, 0.3),
        change=ruler,
        share=0.2,
        answers=(says("patch"), says("place"), says("slice", property="border")),
    ),
    Fault(
        name="upside-down class",
        strengths=(1,),
        change=mirrored_upside,
        share=0.6,
        one_class=True,
        answers=(says("repair", change=("flip", "turn_180")),),
    ),
    Fault(
        name="night shift",
        strengths=(0.75,),
        change=lambda photo, strength, _rng: ImageEnhance.Brightness(photo).enhance(1 - strength),
        column="shift",
        mark="night",
        others=("early", "late"),
        answers=(
            says("slice", property=("brightness", "contrast"), side="low"),
            says("slice", property="shift", value="night"),
        ),
    ),
    Fault(
        name="soft camera",
        strengths=(1.4,),
        change=faint_blur,
        column="camera_id",
        mark="cam7",
        others=tuple(f"cam{n}" for n in range(7)),
        answers=(
            says("slice", property="camera_id", value="cam7"),
            says("slice", property="sharpness", side="low"),
        ),
    ),
    Fault(
        name="one class relabelled in part",
        strengths=(1,),
        relabel=True,
        one_class=True,
        share=0.4,
        answers=(says("label_issue"),),
    ),
)

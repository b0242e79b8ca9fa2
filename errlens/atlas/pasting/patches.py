"""Patches: read from a file or cut from a photo, resized, and pasted into pictures.

They are Pillow images of mode RGBA. Where a patch is transparent, the picture stays.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from errlens.analysis.atlas.pasting.noise import has_pattern, scrambled
from errlens.analysis.atlas.pasting.placing import Position, corner, inside, pasted_size
from errlens.data.photos.images import Unread, open_photo
from errlens.errors import MissingInput, NoImages, UnfitOption
from errlens.run.places import MAX_FILE_MB

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels


def read_patch(path: Path, *, max_mb: int = MAX_FILE_MB) -> Image.Image:
    """Read a patch from an image file, with its transparency.

    Raises:
        MissingInput: There is no such file.
        NoImages: It cannot be read.
        UnfitOption: All of it is transparent.
    """
    if not path.is_file():
        raise MissingInput(path, what="patch")
    photo = open_photo(path, mode="RGBA", exif=True, max_mb=max_mb)
    if isinstance(photo, Unread):
        raise NoImages(f"patch {str(path)!r} cannot be read: {photo.reason}")
    if photo.image.getchannel("A").getextrema()[1] == 0:
        raise UnfitOption(f"--patch {str(path)!r}: all of it is transparent")
    return photo.image


def cut(picture: Image.Image, box: Box) -> Image.Image:
    """Cut a patch out of a picture; a box that reaches out of it is moved inside."""
    return picture.crop(inside(box, picture.size)).convert("RGBA")


def outlined_as(patch: Image.Image, other: Image.Image) -> Image.Image:
    """Return a patch of the size and with the transparency of another one."""
    same = patch.resize(other.size, Image.Resampling.LANCZOS)
    same.putalpha(other.getchannel("A"))
    return same


def noise_of(patch: Image.Image, random: np.random.Generator) -> Image.Image | None:
    """Return noise with the colours, spectrum and outline of a patch; see `scrambled`.

    None of a patch that has one colour alone: the same would come out.
    """
    pixels = np.asarray(patch)
    opaque = pixels[..., 3] > 0
    if not has_pattern(pixels[..., :3], opaque):
        return None
    noise = Image.fromarray(scrambled(pixels[..., :3], opaque, random)).convert("RGBA")
    noise.putalpha(patch.getchannel("A"))
    return noise


def pasted(
    picture: Image.Image, patch: Image.Image, *, size: float, position: Position
) -> Image.Image:
    """Return a picture with a patch in it, resized by Lanczos' filter; at size 0 the same picture.

    Args:
        picture: Of any mode that photos are decoded to, RGB or L; it is left as it is.
        patch: RGBA.
        size: The longer side of the patch as a share of the shorter one of the picture.
        position: Where.
    """
    if not size:
        return picture
    small = resized(patch, pasted_size(patch.size, picture.size, size))
    whole = picture.copy()
    place = corner(small.size, picture.size, position)
    whole.paste(small.convert(picture.mode), place, small.getchannel("A"))
    return whole


def resized(patch: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a patch of width and height `size`; of that size already, the same pixels."""
    return patch if patch.size == size else patch.resize(size, Image.Resampling.LANCZOS)

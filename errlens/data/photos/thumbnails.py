"""Small pictures of the images of a run: as a person sees them, and as the network saw them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errlens.data.photos.images import Encoded, ImageFile, Photo, Unread, decode, quiet_pillow
from errlens.data.photos.loading import available_cores, decode_for, in_order, prepare_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.predictions.table import UNREADABLE

Pixels = NDArray[np.uint8]  # (height, width, 3), RGB


class Thumbnail(NamedTuple):
    """An image upright, as EXIF says, and what the preprocessing left of it, if asked for."""

    shown: Pixels
    as_fed: Pixels | Unread | None = None


def load_thumbnails(
    files: Iterable[ImageFile], *, side: int, preprocessing: Preprocessing | None = None
) -> Iterator[Thumbnail | Unread]:
    """Yield a thumbnail of each file in turn, or the reason why there is none; on all cores.

    Args:
        files: Another file under an old name, told by its hash, has no thumbnail.
        side: The longest side in pixels. Tiny images are enlarged, pixel by pixel.
        preprocessing: Also show the image as fed.
    """
    with quiet_pillow():
        yield from in_order(
            lambda file: open_thumbnail(file, side=side, preprocessing=preprocessing),
            files,
            workers=available_cores(),
        )


def open_thumbnail(
    file: ImageFile, *, side: int, preprocessing: Preprocessing | None = None
) -> Thumbnail | Unread:
    """Make one thumbnail."""
    try:
        return _thumbnail(file, side, preprocessing)
    except MemoryError:
        return Unread(UNREADABLE, "too large for the memory that is left")


def open_in_sizes(
    file: ImageFile, *, sides: Sequence[int], upright: bool = True
) -> list[Pixels] | Unread:
    """Decode a photo once, and return it in several sizes.

    Args:
        file: Another file under an old name, told by its hash, is not read.
        sides: The longest side in pixels of each size. Only the first is enlarged for tiny images.
        upright: Whether it is turned as its EXIF says; else it lies as the file has it.
    """
    try:
        encoded = file.read()
        if isinstance(encoded, Unread):
            return encoded
        photo = _as_seen(encoded, least=max(sides), upright=upright)
        if isinstance(photo, Unread):
            return photo
        first, *others = sides
        longest = max(photo.image.size)
        return [
            _fitted(photo.image.copy(), first),
            *(_fitted(photo.image.copy(), min(side, longest)) for side in others),
        ]
    except MemoryError:
        return Unread(UNREADABLE, "too large for the memory that is left")


def _thumbnail(
    file: ImageFile, side: int, preprocessing: Preprocessing | None
) -> Thumbnail | Unread:
    encoded = file.read()
    if isinstance(encoded, Unread):
        return encoded
    photo = _as_seen(encoded, least=side, upright=True)
    if isinstance(photo, Unread):
        return photo
    shown = _fitted(photo.image, side)
    if preprocessing is None:
        return Thumbnail(shown)
    whole = decode_for(preprocessing, encoded)
    fed = whole if isinstance(whole, Unread) else prepare_input(whole, preprocessing)
    if isinstance(fed, Unread):
        return Thumbnail(shown, fed)
    pixels = fed.value[:, :, ::-1] if preprocessing.bgr else fed.value
    as_fed = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).convert("RGB")
    return Thumbnail(shown, _fitted(as_fed, side))


def _as_seen(encoded: Encoded, *, least: int, upright: bool) -> Photo | Unread:
    """Decode a photo as a person's viewer shows it: 16 bits as shades, whatever the network saw."""
    shades = decode(encoded, exif=upright, scale_16bit=True, least=least)
    return shades if isinstance(shades, Photo) else decode(encoded, exif=upright, least=least)


def _fitted(image: Image.Image, side: int) -> Pixels:
    """Shrink an image until its longest side fits, or enlarge a tiny one by a whole number."""
    longest = max(image.size)
    if longest > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    elif times := (side // longest if 2 * longest <= side else 0):
        size = (image.width * times, image.height * times)
        image = image.resize(size, Image.Resampling.NEAREST)
    return np.asarray(image)

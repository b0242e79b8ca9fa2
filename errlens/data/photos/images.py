"""Open one image file as timm's loader opens it, or say why it cannot be opened."""

import hashlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import PIL
from PIL import Image, UnidentifiedImageError

from errlens.data.photos.depth import highest, is_deep, to_eight_bits
from errlens.data.photos.oddities import Traits
from errlens.data.photos.orientation import UPRIGHT, orientation_of
from errlens.data.photos.picture_kinds import FORMATS, is_raw, suffix_of, why_raw, why_unread
from errlens.data.photos.regular_files import read_regular
from errlens.predictions.table import MISSING, UNREADABLE
from errlens.run.places import MAX_FILE_MB

DECODER: Final = {"name": "pillow", "version": PIL.__version__}

_DNG_VERSION: Final = 0xC612

# Else Python would write on the terminal what Pillow logs about a damaged TIFF.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Photo(NamedTuple):
    """A decoded image; width and height in pixels as shown, that is after EXIF orientation."""

    image: Image.Image
    width: int
    height: int
    content_hash: bytes
    traits: Traits = Traits()


class Unread(NamedTuple):
    """A file no image came out of; `status` is missing or unreadable."""

    status: str
    reason: str
    content_hash: bytes | None = None


def open_photo(
    path: Path,
    *,
    mode: str = "RGB",
    exif: bool = False,
    scale_16bit: bool = False,
    max_mb: int = MAX_FILE_MB,
) -> Photo | Unread:
    """Decode an image file completely and convert it to `mode`; see `decode`."""
    encoded = read_encoded(path, max_mb=max_mb)
    if isinstance(encoded, Unread):
        return encoded
    return decode(encoded, mode=mode, exif=exif, scale_16bit=scale_16bit)


class Encoded(NamedTuple):
    """The bytes of a file that may be an image; `content_hash` is half of their sha256.

    `suffix` is that of the file's name, as `suffix_of` has it.
    """

    content: bytes
    content_hash: bytes
    suffix: str = ""


class ImageFile(NamedTuple):
    """A file, and the hash that it had when it was predicted; None where that is unknown.

    Nothing is read of a file of more than `max_mb` megabytes.
    """

    path: Path
    content_hash: bytes | None = None
    max_mb: int = MAX_FILE_MB

    def read(self) -> Encoded | Unread:
        """Read the file if it still is the one that was predicted."""
        encoded = read_encoded(self.path, max_mb=self.max_mb)
        if isinstance(encoded, Unread) or self.content_hash in (None, encoded.content_hash):
            return encoded
        return Unread(MISSING, "another file now", encoded.content_hash)


def read_encoded(path: Path, *, max_mb: int = MAX_FILE_MB) -> Encoded | Unread:
    """Read an image file without decoding it; only a regular one, and none that is too large."""
    try:
        content = read_regular(path, max_mb=max_mb)
    except (FileNotFoundError, NotADirectoryError):
        return Unread(MISSING, "no such file")
    except OSError as error:
        return Unread(UNREADABLE, error.strerror.lower() if error.strerror else str(error))
    except ValueError as error:  # a null character in the name
        return Unread(MISSING, str(error))
    return Encoded(content, hashlib.sha256(content).digest()[:16], suffix_of(path.name))


def open_image(content: bytes) -> Image.Image:
    """Return an image that Pillow has begun to read; every image is opened here.

    Pillow knows formats that are programs (it runs Ghostscript on PostScript) and others whose
    readers are seldom used or reviewed; a file of these is no image here, whatever its name is.

    Raises:
        Exception: Nearly any, where the file is damaged.
    """
    return Image.open(io.BytesIO(content), formats=known_formats())


@cache
def known_formats() -> tuple[str, ...]:
    """Return the formats that this Pillow was built with, of those that are read."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def decode(
    encoded: Encoded,
    *,
    mode: str = "RGB",
    exif: bool = False,
    scale_16bit: bool = False,
    least: int | None = None,
) -> Photo | Unread:
    """Decode an image completely and convert it to `mode`; see `decode_begun`."""
    image = begin_image(encoded)
    if isinstance(image, Unread):
        return image
    return decode_begun(
        image,
        encoded.content_hash,
        mode=mode,
        exif=exif,
        scale_16bit=scale_16bit,
        least=least,
    )


def begin_image(encoded: Encoded) -> Image.Image | Unread:
    """Open an image: what its file says of it is known then, and no pixel is decoded."""
    content, content_hash, suffix = encoded
    if not content:
        return Unread(UNREADABLE, "empty file", content_hash)
    if is_raw(content, suffix):
        return Unread(UNREADABLE, why_raw(), content_hash)
    try:
        image = open_image(content)
        if _is_dng(image):
            return Unread(UNREADABLE, why_raw(), content_hash)
    except UnidentifiedImageError:
        return Unread(UNREADABLE, why_unread(content, suffix), content_hash)
    except Exception as error:  # noqa: BLE001 - damaged files make Pillow raise nearly anything
        return Unread(UNREADABLE, f"{type(error).__name__}: {error}", content_hash)
    return image


def decode_begun(
    image: Image.Image,
    content_hash: bytes,
    *,
    mode: str = "RGB",
    exif: bool = False,
    scale_16bit: bool = False,
    least: int | None = None,
) -> Photo | Unread:
    """Decode an image that was begun completely, and convert it to `mode`.

    Args:
        image: As `begin_image` returns it.
        content_hash: Of its file.
        mode: Pillow's name for what the model wants: RGB, or L for one channel.
        exif: Turn the pixels upright as the EXIF orientation says; timm's loader does not.
        scale_16bit: Bring values beyond a byte to 0 to 255, which timm's loader clips there.
        least: The image may be smaller, but no side shorter than that: a JPEG is decoded at a
            fraction of its size in a fraction of the time. Width and height stay those of the file.
    """
    whole = image.size
    try:
        drafted = least is not None and image.draft(mode, (least, least)) is not None
        deep = is_deep(image)
        pixels = (to_eight_bits(image) if deep and scale_16bit else image).convert(mode)
    except Exception as error:  # noqa: BLE001 - damaged files make Pillow raise nearly anything
        return Unread(UNREADABLE, f"{type(error).__name__}: {error}", content_hash)
    orientation = orientation_of(image)
    size = whole if drafted else image.size
    width, height = size if orientation < 5 else size[::-1]
    if exif and orientation in UPRIGHT:
        pixels = pixels.transpose(UPRIGHT[orientation])
    traits = Traits(
        image.mode if deep else None,
        highest(image) if deep else None,
        orientation in UPRIGHT,
        _is_single_valued(pixels),
    )
    return Photo(pixels, width, height, content_hash, traits)


def _is_dng(image: Image.Image) -> bool:
    """Tell whether a TIFF is a camera's raw file in Adobe's format, whatever it is called."""
    return _DNG_VERSION in getattr(image, "tag_v2", ())


def _is_single_valued(pixels: Image.Image) -> bool:
    """Tell whether all pixels are the same; three of them nearly always say no at once."""
    width, height = pixels.size
    if not (width and height):
        return False
    first = pixels.getpixel((0, 0))
    if any(
        pixels.getpixel(place) != first
        for place in ((width // 2, height // 2), (width - 1, height - 1))
    ):
        return False
    return all(len(set(band.getextrema())) == 1 for band in pixels.split())


class Identity(NamedTuple):
    """What tells one image file from another, as far as the file can be read."""

    width: int | None = None
    height: int | None = None
    content_hash: bytes | None = None


def identify_photo(path: Path, *, max_mb: int = MAX_FILE_MB) -> Identity:
    """Return the size in pixels (as shown) and the hash of a file without decoding its pixels."""
    encoded = read_encoded(path, max_mb=max_mb)
    if isinstance(encoded, Unread):
        return Identity()
    content, content_hash, suffix = encoded
    if is_raw(content, suffix):
        return Identity(content_hash=content_hash)
    try:
        image = open_image(content)
        if _is_dng(image):
            return Identity(content_hash=content_hash)
        # Pillow says of a TIFF from the start how large it is when shown.
        turned = image.format != "TIFF" and orientation_of(image) >= 5
        width, height = image.size[::-1] if turned else image.size
    except Exception:  # noqa: BLE001 - damaged files make Pillow raise nearly anything
        return Identity(content_hash=content_hash)
    return Identity(width, height, content_hash)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep back what Pillow remarks on thousands of photos; failures are rows."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield

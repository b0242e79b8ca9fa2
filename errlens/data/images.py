"""Open one image file as timm's loader opens it, or say why it cannot be opened."""

import hashlib
import io
import logging
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import PIL
from PIL import Image, UnidentifiedImageError

from errlens.predictions import MISSING, UNREADABLE

# What counts as an image when a folder is scanned; timm itself takes the first three.
SUFFIXES: Final = (
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    ".ppm", ".pgm", ".pnm", ".avif", ".jp2",
)  # fmt: skip

DECODER: Final = {"name": "pillow", "version": PIL.__version__}

_EXIF_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Else Python would write on the terminal what Pillow logs about a damaged TIFF.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Photo(NamedTuple):
    """A decoded image; width and height in pixels as shown, that is after EXIF orientation."""

    image: Image.Image
    width: int
    height: int
    content_hash: bytes


class Unread(NamedTuple):
    """A file no image came out of; `status` is missing or unreadable."""

    status: str
    reason: str
    content_hash: bytes | None = None


def open_photo(path: Path, *, mode: str = "RGB", exif: bool = False) -> Photo | Unread:
    """Decode an image file completely and convert it to `mode`.

    Args:
        path: The file.
        mode: Pillow's name for what the model wants: RGB, or L for one channel.
        exif: Turn the pixels upright as the EXIF orientation says; timm's loader does not.
    """
    encoded = read_encoded(path)
    return encoded if isinstance(encoded, Unread) else decode(encoded, mode=mode, exif=exif)


class Encoded(NamedTuple):
    """The bytes of a file that may be an image; `content_hash` is half of their sha256."""

    content: bytes
    content_hash: bytes


class ImageFile(NamedTuple):
    """A file, and the hash that it had when it was predicted; None where nobody knows."""

    path: Path
    content_hash: bytes | None = None

    def read(self) -> Encoded | Unread:
        """Read the file if it still is the one that was predicted."""
        encoded = read_encoded(self.path)
        if isinstance(encoded, Unread) or self.content_hash in (None, encoded.content_hash):
            return encoded
        return Unread(MISSING, "another file now", encoded.content_hash)


def read_encoded(path: Path) -> Encoded | Unread:
    """Read an image file without decoding it."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Unread(UNREADABLE, "not a regular file")  # a pipe would wait for ever
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Unread(MISSING, "no such file")
    except OSError as error:
        return Unread(UNREADABLE, (error.strerror or str(error)).lower())
    except ValueError as error:  # a null character in the name
        return Unread(MISSING, str(error))
    return Encoded(content, hashlib.sha256(content).digest()[:16])


def decode(
    encoded: Encoded, *, mode: str = "RGB", exif: bool = False, least: int | None = None
) -> Photo | Unread:
    """Decode an image completely and convert it to `mode`.

    With `least`, the image may be smaller, but no side shorter than that: a JPEG is decoded at a
    fraction of its size in a fraction of the time.
    """
    content, content_hash = encoded
    if not content:
        return Unread(UNREADABLE, "empty file", content_hash)
    try:
        image = Image.open(io.BytesIO(content))
        if least is not None:
            image.draft(mode, (least, least))
        pixels = image.convert(mode)
    except UnidentifiedImageError:
        return Unread(UNREADABLE, _what_it_is(content), content_hash)
    except Exception as error:  # noqa: BLE001 - damaged files make Pillow raise nearly anything
        return Unread(UNREADABLE, f"{type(error).__name__}: {error}", content_hash)
    orientation = _orientation(image)
    width, height = image.size if orientation < 5 else image.size[::-1]
    if exif and orientation in _UPRIGHT:
        pixels = pixels.transpose(_UPRIGHT[orientation])
    return Photo(pixels, width, height, content_hash)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of a loaded image, 1 (upright) if it has none."""
    try:
        found = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF beside good pixels; timm ignores it too
        return 1
    return found if found in _UPRIGHT else 1


def _what_it_is(encoded: bytes) -> str:
    start = encoded[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "not an image but an HTML page"
    return "not an image that Pillow knows"


class Identity(NamedTuple):
    """What tells one image file from another, as far as the file can be read."""

    width: int | None = None
    height: int | None = None
    content_hash: bytes | None = None


def identify_photo(path: Path) -> Identity:
    """Return the size in pixels (as shown) and the hash of a file without decoding its pixels."""
    encoded = read_encoded(path)
    if isinstance(encoded, Unread):
        return Identity()
    content, content_hash = encoded
    try:
        image = Image.open(io.BytesIO(content))
        # Pillow says of a TIFF from the start how large it is when shown.
        turned = image.format != "TIFF" and _orientation(image) >= 5
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

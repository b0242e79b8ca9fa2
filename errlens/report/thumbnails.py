"""Small pictures for a page: made once, kept in the run folder, handed out as bytes of WebP."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from PIL import Image

from errlens.data.photos.images import ImageFile, Unread, decode, quiet_pillow, read_encoded
from errlens.data.photos.loading import available_cores, in_order
from errlens.data.photos.thumbnails import open_thumbnail
from errlens.run.disk import replacing

SIDE: Final = 144  # pixels of the longest side of a thumbnail
WIDEST: Final = 1000  # pixels of a picture of heat maps
QUALITY: Final = 72


class ThumbnailCache:
    """A folder of pictures named by what they were made of: hash of the file, and size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def thumbnails(
        self, files: Iterable[ImageFile], *, side: int = SIDE
    ) -> Iterator[bytes | Unread]:
        """Yield a WebP of each file in turn, or why there is none; on all cores.

        A picture that is known by its hash needs no file any more.
        """
        with quiet_pillow():
            yield from in_order(
                lambda file: self.thumbnail(file, side=side), files, workers=available_cores()
            )

    def pictures(self, paths: Iterable[Path], *, widest: int = WIDEST) -> Iterator[bytes | Unread]:
        """Yield a WebP of each picture that errlens drew, shrunk to a width."""
        yield from in_order(
            lambda path: self.picture(path, widest=widest), paths, workers=available_cores()
        )

    def thumbnail(self, file: ImageFile, *, side: int = SIDE) -> bytes | Unread:
        """Return a WebP of one file, or why there is none."""
        if file.content_hash is None:
            encoded = file.read()
            if isinstance(encoded, Unread):
                return encoded
            file = file._replace(content_hash=encoded.content_hash)
        place = self._place(file.content_hash or b"", f"{side}")
        known = _read(place)
        if known is not None:
            return known
        made = open_thumbnail(file, side=side)
        if isinstance(made, Unread):
            return made
        return self._keep(place, Image.fromarray(made.shown))

    def picture(self, path: Path, *, widest: int = WIDEST) -> bytes | Unread:
        """Return a WebP of one picture that errlens drew, shrunk to a width."""
        encoded = read_encoded(path)
        if isinstance(encoded, Unread):
            return encoded
        place = self._place(hashlib.sha256(encoded.content).digest()[:16], f"w{widest}")
        known = _read(place)
        if known is not None:
            return known
        photo = decode(encoded)
        if isinstance(photo, Unread):
            return photo
        image = photo.image
        image.thumbnail((widest, 4 * widest), Image.Resampling.LANCZOS)
        return self._keep(place, image)

    def _place(self, content_hash: bytes, size: str) -> Path:
        return self._folder / f"{content_hash.hex()}-{size}.webp"

    def _keep(self, place: Path, image: Image.Image) -> bytes:
        """Encode a picture and keep it, if there is a place to; a page can do without."""
        encoded = as_webp(image)
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            with replacing(place) as temporary:
                temporary.write_bytes(encoded)
        return encoded


def as_webp(image: Image.Image) -> bytes:
    """Encode a picture as pages hold it."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def _read(place: Path) -> bytes | None:
    """Return a picture that was kept; one that is not whole, or a link, is made again."""
    if place.is_symlink():
        return None
    try:
        content = place.read_bytes()
    except OSError:
        return None
    whole = content[:4] == b"RIFF" and int.from_bytes(content[4:8], "little") + 8 == len(content)
    return content if whole else None

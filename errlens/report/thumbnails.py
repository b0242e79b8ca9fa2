"""Pictures for a page: made once, kept in the run folder, handed out as bytes of WebP."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from errlens.data.photos.images import ImageFile, Unread, decode, quiet_pillow, read_encoded
from errlens.data.photos.loading import available_cores, in_order
from errlens.data.photos.thumbnails import Pixels, open_in_sizes
from errlens.run.disk import replacing

SIDE: Final = 144  # pixels of the longest side of a thumbnail
LARGE: Final = 512  # likewise of a large picture
WIDEST: Final = 1000  # pixels of a picture of heat maps
FIGURE: Final = 1600  # of a figure with much in it, so that its writing can be read
QUALITY: Final = 72


class Wanted(NamedTuple):
    """The file of a photo, and whether a large picture of it is wanted besides the thumbnail."""

    file: ImageFile
    large: bool = False


class Shown(NamedTuple):
    """A photo as WebP; there is no large picture where none was wanted, or it would be no larger.

    >>> Shown(b"RIFF").large is None
    True
    """

    thumbnail: bytes
    large: bytes | None = None


class ThumbnailCache:
    """A folder of pictures named by what they were made of: hash of the file, and size.

    Args:
        folder: It is made when it is needed.
        upright: Whether photos are turned as their EXIF says.
    """

    def __init__(self, folder: Path, *, upright: bool = True) -> None:
        self._folder = folder
        self._upright = upright

    def photos(self, wanted: Iterable[Wanted]) -> Iterator[Shown | Unread]:
        """Yield the pictures of each photo in turn, or why there are none; on all cores.

        A photo is decoded once for both sizes. What is known by its hash needs no file any more.
        """
        with quiet_pillow():
            yield from in_order(self.photo, wanted, workers=available_cores())

    def pictures(self, paths: Iterable[Path], *, widest: int = WIDEST) -> Iterator[bytes | Unread]:
        """Yield a WebP of each picture that errlens drew, shrunk to a width."""
        yield from in_order(
            lambda path: self.picture(path, widest=widest), paths, workers=available_cores()
        )

    def photo(self, wanted: Wanted) -> Shown | Unread:
        """Return the pictures of one photo, or why there are none."""
        file, large = wanted
        if file.content_hash is None:
            encoded = file.read()
            if isinstance(encoded, Unread):
                return encoded
            file = file._replace(content_hash=encoded.content_hash)
        places = [self._place(file.content_hash or b"", self._size(side)) for side in (SIDE, LARGE)]
        thumbnail, picture = (_read(place) for place in places)
        if thumbnail and (picture or not large):
            return Shown(thumbnail, picture if large else None)
        # From the same pixels whichever sizes are wanted: a page is the same whatever was kept.
        made = open_in_sizes(file, sides=(SIDE, LARGE), upright=self._upright)
        if isinstance(made, Unread):
            return Shown(thumbnail) if thumbnail else made
        thumbnail = thumbnail or self._keep(places[0], made[0])
        if not large or max(made[1].shape) <= SIDE:
            return Shown(thumbnail)
        return Shown(thumbnail, picture or self._keep(places[1], made[1]))

    def picture(self, path: Path, *, widest: int = WIDEST) -> bytes | Unread:
        """Return a picture that errlens drew, or why there is none."""
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
        return self._keep(place, np.asarray(image))

    def _size(self, side: int) -> str:
        return f"{side}px" if self._upright else f"{side}px-as-stored"

    def _place(self, content_hash: bytes, size: str) -> Path:
        return self._folder / f"{content_hash.hex()}-{size}.webp"

    def _keep(self, place: Path, pixels: Pixels) -> bytes:
        """Encode a picture and keep it, if there is a place to; a page can do without."""
        encoded = as_webp(Image.fromarray(pixels))
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

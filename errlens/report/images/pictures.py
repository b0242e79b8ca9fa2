"""Pictures of a page, as many as there is room for."""

import base64
from typing import Final

from errlens.data.photos.images import Unread
from errlens.predictions.table import MISSING
from errlens.report.thumbnails import Shown

FULL: Final = "left out: the page is full"
NOT_ASKED: Final = "left out: not among the images asked for"
_URI: Final = "data:image/webp;base64,"


class Pictures:
    """Pictures as data URIs by name, and why others are not there.

    "12" is the thumbnail of row 12, "12@" its large picture, which there is of few; any other name
    is that of a file below RUN/explain.

    Attributes:
        uris: The pictures by name.
        absent: Why there is none of images whose file cannot be shown, or that a section shows.
        otherwise: Why there is none of any other.
        missing: Names of those absent whose file is not where it was.
        left: How many bytes there is still room for.
        for_large: How many of these are for large pictures.
        is_full: Whether a picture was left out because it did not fit.
    """

    def __init__(self, budget: int) -> None:
        self.uris: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.otherwise = FULL
        self.missing: list[str] = []
        self.left = budget
        self.for_large = 0
        self.is_full = False

    def add(self, name: str, picture: bytes | Unread, *, besides: int = 0) -> bool:
        """Take a picture if there is one, and room for it; return whether it was taken.

        `besides` are the bytes of what the page says only of images with a picture.
        """
        if isinstance(picture, Unread):
            self.leave_out(name, picture.reason)
            if picture.status == MISSING:
                self.missing.append(name)
            return False
        size = size_of(name, picture) + besides
        if size > self.left:
            self.is_full = True
            return False
        self.left -= size
        self.uris[name] = f"{_URI}{base64.b64encode(picture).decode()}"
        return True

    def add_photo(self, row: int, shown: Shown | Unread, *, besides: int) -> None:
        """Take the thumbnail of a photo, and its large picture as far as there is room for such."""
        if isinstance(shown, Unread):
            self.add(str(row), shown)
            return
        added = self.add(str(row), shown.thumbnail, besides=besides)
        large, name = shown.large, f"{row}@"
        if added and large and size_of(name, large) <= min(self.for_large, self.left):
            self.for_large -= size_of(name, large)
            self.add(name, large)

    def leave_out(self, name: str, why: str) -> None:
        """Say why there is no picture of something."""
        self.absent[name] = why
        self.left -= len(name) + len(why) + 8

    @property
    def rows(self) -> list[int]:
        """The rows that have a thumbnail."""
        return [int(name) for name in self.uris if name.isdecimal()]


def size_of(name: str, picture: bytes) -> int:
    """Return how many bytes of a page a picture takes."""
    return len(_URI) + 4 * -(-len(picture) // 3) + len(name) + 8

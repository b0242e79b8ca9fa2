"""Photos for maps to lie on, no larger than is needed."""

from typing import Final, NamedTuple

from PIL import Image

from errlens.data.photos.images import Photo, Unread
from errlens.predictions.table import UNREADABLE

MOST_PIXELS: Final = 50_000_000  # of a photo to be drawn on as it is: it takes 40 bytes for each


class Shown(NamedTuple):
    """A photo to draw on, maybe smaller than it is: its width and height are in pixels."""

    image: Image.Image
    width: int
    height: int


def shown_photo(photo: Photo, side: int) -> Shown | Unread:
    """Return a photo in colour with a longest side of at most so many pixels.

    With 0 it is as it is, or there is a reason why so large a one cannot be drawn on.
    """
    image = photo.image
    if side == 0 and image.width * image.height > MOST_PIXELS:
        megapixels = image.width * image.height / 1e6
        reason = f"{megapixels:.0f} megapixels are too many to draw on: --on input, or all panels"
        return Unread(UNREADABLE, reason, photo.content_hash)
    share = min(1.0, side / max(image.size)) if side else 1.0
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    small = image.resize(size, Image.Resampling.LANCZOS) if share < 1 else image
    return Shown(small.convert("RGB"), *image.size)

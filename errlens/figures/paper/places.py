"""Where on a PNG that errlens drew there are photos and colours; all else is grey on white."""

import json
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image

PICTURES: Final = "errlens:pictures"  # in a PNG: the places of its pictures, as JSON

Place = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Size = tuple[int, int]  # width and height in pixels


def places_in(png: Path | BinaryIO) -> tuple[list[Place], Size] | None:
    """Return the places of a PNG's pictures, and its size; None where it does not say them."""
    try:
        with Image.open(png) as image:
            size, text = image.size, image.info.get(PICTURES)
        places = json.loads(text) if isinstance(text, str) else []
        known = [tuple(map(int, place)) for place in places]
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    except Image.DecompressionBombError:
        return None
    width, height = size
    inside = [
        place
        for place in known
        if len(place) == 4
        and 0 <= place[0] < place[2] <= width
        and 0 <= place[1] < place[3] <= height
    ]
    return (inside, size) if inside else None

"""Pictures that errlens drew, on a page that is light or dark: photos and colours stay as they are.

A PNG is black on white, for papers. On a dark page its paper would glare, so there it comes as an
SVG that shows the same WebP twice: all of it, in the dark inverted, and over that the places of
photos and colours alone. Which of both applies is decided by the page's `color-scheme`. The hues of
what is inverted are turned back: what is blue stays blue.
"""

import base64
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image

from errlens.data.photos.images import Unread
from errlens.figures.paper.places import Place, places_in
from errlens.report.thumbnails import WIDEST

# Of white paper a little is left: beside a dark page it is a sheet, as it is beside a light one.
# Writing then has a contrast of 5 at least.
INVERTED: Final = "invert(.88) hue-rotate(180deg)"
STYLE: Final = f"@media (prefers-color-scheme:dark){{.all{{filter:{INVERTED}}}}}"  # of each SVG


def on_any_page(
    pngs: Iterable[Path],
    pictures: Iterable[bytes | Unread],
    *,
    widest: int = WIDEST,
    on_paper: bool = False,
) -> Iterator[bytes | Unread]:
    """Yield the pictures made of some PNGs, as SVG where these say where their photos are.

    Args:
        pngs: As errlens drew them.
        pictures: Each of them as WebP, no more than `widest` pixels wide, or why there is none.
        widest: In pixels.
        on_paper: They are black on white also where they do not say that they have photos.
    """
    for png, picture in zip(pngs, pictures, strict=True):
        if isinstance(picture, Unread):
            yield picture
        else:
            yield one_on_any_page(png, picture, widest=widest, on_paper=on_paper)


def one_on_any_page(
    png: Path | BinaryIO, webp: bytes, *, widest: int, on_paper: bool = False
) -> bytes:
    """Return what `on_any_page` makes of one PNG, which may be an open one."""
    known = places_in(png)
    if known is None:
        return _svg(webp, _size(webp), []) if on_paper else webp
    places, (width, height) = known
    smaller = min(1.0, widest / width)
    size = round(width * smaller), round(height * smaller)
    return _svg(webp, size, [_scaled(place, smaller) for place in places])


def _size(webp: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(webp)) as image:
        return image.size


def _scaled(place: Place, smaller: float) -> Place:
    """Return a place in the smaller picture, without pixels that are partly paper."""
    left, top, right, bottom = (edge * smaller for edge in place)
    return math.ceil(left), math.ceil(top), math.floor(right), math.floor(bottom)


def _svg(webp: bytes, size: tuple[int, int], places: Iterable[Place]) -> bytes:
    width, height = size
    paths = "".join(
        f"M{left},{top}H{right}V{bottom}H{left}z" for left, top, right, bottom in places
    )
    uri = f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}'>"
        f"<style>{STYLE}</style>"
        f"<defs><image id='i' width='{width}' height='{height}' href='{uri}'/>"
        f"<clipPath id='p'><path d='{paths}'/></clipPath></defs>"
        "<use class='all' href='#i'/><use clip-path='url(#p)' href='#i'/></svg>"
    ).encode()

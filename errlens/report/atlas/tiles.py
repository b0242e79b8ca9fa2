"""Tiles cut from sheets of pictures, as a page holds them: small WebPs, each a text of base64."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

from errlens.data.photos.images import Unread, decode, read_encoded
from errlens.data.photos.loading import available_cores, in_order
from errlens.documents import BadDocument, parse_json, read_text
from errlens.run.disk import replacing

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Sheet(NamedTuple):
    """Tiles side by side: how many pixels each has, how many a row, and which of them are wanted.

    On the page they have at most `widest` pixels, and the quality of a WebP, 0 to 100.
    """

    path: Path
    side: int
    per_row: int
    wanted: Sequence[int]
    widest: int
    quality: int


def tiles_of(sheet: Sheet, *, kept_in: Path) -> list[str] | str:
    """Return the tiles of a sheet that are wanted, or why there are none.

    They are kept in a folder, by a hash of the sheet, for the next page.
    """
    encoded = read_encoded(sheet.path)
    if isinstance(encoded, Unread):
        return encoded.reason
    how = hashlib.sha256(encoded.content_hash + repr(sheet._replace(path=Path())).encode())
    place = kept_in / f"{how.hexdigest()[:32]}-tiles.json"
    known = _kept(place, len(sheet.wanted))
    if known is not None:
        return known
    photo = decode(encoded)
    if isinstance(photo, Unread):
        return photo.reason
    rows = 1 + max(sheet.wanted, default=0) // sheet.per_row
    columns = min(sheet.per_row, 1 + max(sheet.wanted, default=0))
    if photo.width < columns * sheet.side or photo.height < rows * sheet.side:
        return "smaller than its tiles"
    made = [*in_order(partial(_tile, photo.image, sheet), sheet.wanted, workers=available_cores())]
    _keep(place, made)
    return made


def _tile(image: Image.Image, sheet: Sheet, at: int) -> str:
    left, top = (sheet.side * place for place in (at % sheet.per_row, at // sheet.per_row))
    tile = image.crop((left, top, left + sheet.side, top + sheet.side))
    tile.thumbnail((sheet.widest, sheet.widest), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    tile.save(buffer, "WEBP", quality=sheet.quality, method=3)
    return base64.b64encode(buffer.getvalue()).decode()


def _kept(place: Path, n: int) -> list[str] | None:
    """Return tiles that were kept; those that cannot be are made again."""
    try:
        tiles = parse_json(read_text(place)) if not place.is_symlink() else None
    except BadDocument:
        return None
    if not isinstance(tiles, list) or len(tiles) != n:
        return None
    is_whole = all(isinstance(tile, str) and _BASE64.fullmatch(tile) for tile in tiles)
    return tiles if is_whole else None


def _keep(place: Path, tiles: list[str]) -> None:
    """Keep tiles, if there is a place to; a page can do without."""
    with suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        with replacing(place) as temporary:
            temporary.write_text(json.dumps(tiles), encoding="utf-8")

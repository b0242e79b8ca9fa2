"""What a file says of its picture: its format, and what EXIF tells of the camera and the hour."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from PIL import Image

_MAKE: Final = 0x010F
_MODEL: Final = 0x0110
_ORIENTATION: Final = 0x0112
_DETAILS: Final = 0x8769  # where the rest is
_TAKEN: Final = 0x9003  # DateTimeOriginal
_TIME: Final = re.compile(r"(\d{4})\D\d\d\D\d\d[ T](\d\d):(\d\d)")
_LONGEST: Final = 80  # characters of a camera's name


class Origin(NamedTuple):
    """What EXIF says; None where it says nothing.

    `orientation` is 1 (upright) to 8, and 1 where nothing is said; `hour` of the day is 0 to 24,
    minutes included, by the clock of the camera.
    """

    orientation: int = 1
    camera: str | None = None
    hour: float | None = None


def origin_of(image: Image.Image) -> Origin:
    """Read the EXIF data of an image; of those of a TIFF before it is decoded."""
    try:
        exif = image.getexif()
        if not exif:
            return Origin()
        tags, details = dict(exif), dict(exif.get_ifd(_DETAILS))
    except Exception:  # noqa: BLE001 - damaged EXIF beside good pixels makes Pillow raise anything
        return Origin()
    orientation = tags.get(_ORIENTATION)
    return Origin(
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        _camera(_text(tags, _MAKE), _text(tags, _MODEL)),
        _hour(_text(details, _TAKEN) or _text(tags, _TAKEN)),
    )


def _camera(make: str, model: str) -> str | None:
    """Return the name of a camera, its maker in front unless the model begins with that.

    >>> _camera("NIKON CORPORATION", "NIKON D90"), _camera("Apple", "iPhone 6"), _camera("", "")
    ('NIKON D90', 'Apple iPhone 6', None)
    """
    brand = make.partition(" ")[0].casefold()
    named = brand and model.casefold().startswith(brand)
    return (model if named else f"{make} {model}".strip()) or None


def _hour(taken: str) -> float | None:
    """Return the hour of the day of a time as EXIF writes it.

    >>> _hour("2019:07:31 18:30:05"), _hour("0000:00:00 00:00:00"), _hour("2019:07:31 25:00:00")
    (18.5, None, None)
    """
    found = _TIME.match(taken)
    if not found:
        return None
    year, hour, minute = map(int, found.groups())
    return hour + minute / 60 if year and hour < 24 and minute < 60 else None


def _text(tags: Mapping[int, Any], tag: int) -> str:
    """Return a tag that is text, without what cannot be seen; else nothing."""
    value = tags.get(tag)
    if not isinstance(value, str):
        return ""
    text = value.partition("\0")[0]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST]

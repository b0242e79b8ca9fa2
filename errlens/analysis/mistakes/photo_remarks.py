"""What a person should know of the photos of a run before trusting its metrics, in sentences."""

from collections.abc import Mapping
from typing import Any, Final

from errlens.analysis.mistakes.copies import Copies
from errlens.data.photos.depth import EIGHT_BITS, SIXTEEN_BITS, scale_of
from errlens.data.photos.oddities import Oddities, PhotoCount

_BLACK: Final = 16  # of 255; where no value reaches that, nothing can be seen
_OFFER: Final = "--scale-16bit brings them to 0 to 255"


def photo_remarks(oddities: Oddities, preprocessing: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each kind of photo that may not be to a network what it is to people.

    `preprocessing` is that of the run, as it was recorded.
    """
    scaled = bool(preprocessing.get("scale_16bit"))
    remarks = [
        f"{_photos(some)} of more than 8 bits ({mode}{_up_to(some)}): {fate}"
        for mode, some in oddities.deep.items()
        if (fate := _fate(mode, some.highest, scaled=scaled))
    ]
    turned = oddities.turned
    if turned.n and not preprocessing.get("exif"):
        remarks.append(
            f"{_photos(turned)} to be turned or mirrored by EXIF, but fed as stored, as timm does: "
            "--exif turns them upright"
        )
    if (single := oddities.single_valued).n:
        remarks.append(f"{_photos(single)} of one single value all over: nothing can be seen there")
    return remarks


def copy_remarks(copies: Copies) -> list[str]:
    """Return a sentence on photos that are there twice, and one on those with several labels."""
    remarks = []
    if n := copies.n_repeated:
        verb, them = ("repeats", "it") if n == 1 else ("repeat", "them")
        listed = f" ({copies.n_listed} by a second row for one file)" if copies.n_listed else ""
        remarks.append(
            f"{n} image{'s' * (n != 1)} {verb} another one byte by byte{listed}: "
            f"the figures count {them} again"
        )
    if odd := copies.contradictions:
        n, first = len(odd), odd[0]
        places = " = ".join(f"{place['path']} ({place['label_name']})" for place in first[:3])
        what = "photo stands" if n == 1 else "photos stand"
        remarks.append(
            f"{n} {what} under several labels, of which one can be right"
            f"{': ' if n == 1 else ', such as '}{places}"
        )
    return remarks


def _fate(mode: str, highest: float | None, *, scaled: bool) -> str | None:
    """Say what becomes of values beyond a byte; None where they come out as they should."""
    if highest is None:
        return "they hold what is no number; export them with 8 bits"
    if scaled:
        full = SIXTEEN_BITS if mode.startswith("I;16") else scale_of(highest, fractions=mode == "F")
        return None if highest >= full / 4 else "scaled they are dark; export them with 8 bits"
    if mode == "F" and scale_of(highest, fractions=True) == 1:
        return f"as timm reads them they are black; {_OFFER}"
    if highest < _BLACK:
        return "they are black, or nearly; export them with 8 bits"
    if highest <= EIGHT_BITS:
        return None
    if highest < SIXTEEN_BITS / 4:
        return (
            "as timm reads them they are white, and scaled they would be dark; "
            "export them with 8 bits"
        )
    return f"as timm reads them all above 255 is white; {_OFFER}"


def _up_to(some: PhotoCount) -> str:
    return "" if some.highest is None else f", up to {some.highest:,.6g}"


def _photos(some: PhotoCount) -> str:
    """Begin a sentence on some photos.

    >>> _photos(PhotoCount(1, ("a.png",))), _photos(PhotoCount(3, ("a.png", "b.png", "c.png")))
    ('1 photo (a.png) is', '3 photos (a.png, b.png, c.png) are')
    """
    shown = ", ".join(some.examples) + (", ..." if some.n > len(some.examples) else "")
    return f"{some.n} photo{'s' * (some.n != 1)} ({shown}) {'is' if some.n == 1 else 'are'}"

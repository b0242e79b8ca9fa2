"""What a person should know of the photos of a run before trusting its figures, in sentences."""

from collections.abc import Mapping
from typing import Any, Final

from errlens.analysis.copies import Copies
from errlens.data.depth import EIGHT_BITS
from errlens.data.oddities import Oddities, Some

_BRIGHT: Final = 16_384  # of 65,535; where nothing reaches that, 16 bits are not what is used
_OFFER: Final = "--scale-16bit brings them to 0 to 255"


def photo_remarks(oddities: Oddities, preprocessing: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each kind of photo that may not be to a network what it is to people.

    `preprocessing` is that of the run, as it was recorded.
    """
    remarks = []
    if deep := _of_depth(oddities, scaled=bool(preprocessing.get("scale_16bit"))):
        remarks.append(deep)
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


def _of_depth(oddities: Oddities, *, scaled: bool) -> str | None:
    """Say what becomes of values beyond a byte; None where nothing is lost."""
    highest, fractions = oddities.highest, set(oddities.modes) == {"F"}
    if not oddities.deep.n:
        return None
    kinds = ", ".join(f"{n} {mode}" for mode, n in sorted(oddities.modes.items()))
    known = "" if highest is None else f", up to {highest:,.6g}"
    what = f"{_photos(oddities.deep)} of more than 8 bits ({kinds}{known})"
    if highest is None:
        return f"{what} and hold what is no number: export them with 8 bits"
    if fractions and highest <= 1:
        return None if scaled else f"{what}: as timm reads them they are black; {_OFFER}"
    if highest <= EIGHT_BITS:
        return None
    if highest < _BRIGHT:
        fate = (
            "are dark" if scaled else "are white, as timm reads them, and with --scale-16bit dark"
        )
        return f"{what}: they {fate}; export them with 8 bits"
    return None if scaled else f"{what}: as timm reads them all above 255 is white; {_OFFER}"


def _photos(some: Some) -> str:
    """Begin a sentence on some photos.

    >>> _photos(Some(1, ("a.png",))), _photos(Some(3, ("a.png", "b.png", "c.png")))
    ('1 photo (a.png) is', '3 photos (a.png, b.png, c.png) are')
    """
    shown = ", ".join(some.examples) + (", ..." if some.n > len(some.examples) else "")
    return f"{some.n} photo{'s' * (some.n != 1)} ({shown}) {'is' if some.n == 1 else 'are'}"

"""Names of files and folders made of names that may be anything: of a class, of an image."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 100  # bytes of UTF-8; file systems take 255 for a name

# Windows takes these for devices, whatever their ending.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


def file_name(text: str) -> str:
    r"""Return what of a text can be the name of a file on any system; never empty or hidden.

    Letters of all languages stay; other characters become `_`, but for `-~+=.,@` inside.

    >>> file_name("../wild: cats"), file_name("Bengal~Egyptian Mau"), file_name("two\nlines")
    ('wild_cats', 'Bengal~Egyptian_Mau', 'two_lines')
    >>> file_name(".."), file_name("con"), len(file_name("x" * 300))
    ('_', '_con', 100)
    """
    plain = re.sub(r"[^\w\-~+=.,@]+", "_", unicodedata.normalize("NFC", text))
    short = plain.strip("._-~ ").encode()[:LONGEST].decode(errors="ignore").rstrip("._-~ ") or "_"
    return f"_{short}" if short.partition(".")[0].casefold() in _DEVICES else short


def distinct_names(texts: Sequence[str], *, taken: Iterable[str] = ()) -> list[str]:
    """Return a file name for each of some texts, no two alike even where case does not count.

    Of those that would be alike, the first keeps its name and the others are numbered.

    Args:
        texts: Names of anything.
        taken: File names that must not be used.

    >>> distinct_names(["a/b", "a b", "A_B", "a_b-2"])
    ['a_b', 'a_b-3', 'A_B-4', 'a_b-2']
    """
    names = [file_name(text) for text in texts]
    used = {name.casefold() for name in taken}
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name.casefold() not in used:
            first.setdefault(name.casefold(), place)
    used |= first.keys()
    for place, name in enumerate(names):
        if first.get(name.casefold()) != place:
            names[place] = _numbered(name, used)
            used.add(names[place].casefold())
    return names


def _numbered(name: str, used: set[str]) -> str:
    number = 2
    while f"{name}-{number}".casefold() in used:
        number += 1
    return f"{name}-{number}"

"""Which spellings are the same name: decided here, for every command."""

import html
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from errlens.classes.imagenet import lemmas_of_synsets, names_of_synsets

_JOINERS: Final = "\u200c\u200d"  # not seen either, but part of how a word is written
_ALIKE: Final = str.maketrans("\u2018\u2019\u00b4`\u201c\u201d", "''''\"\"")
_GAPS: Final = re.compile(r"[\s_\u2010-\u2015\u2212-]+")
_ZEROS: Final = re.compile(r"(?<![^ ])0+(?=\d)")
_QUOTED: Final = re.compile(r"(['\"])(.*[^'\"].*)\1")
_NUMBER: Final = re.compile(r"0*(\d{1,18})(?:\.0*)?")
# A synset id before or behind a name (`n02085620-Chihuahua`), a number before it (`001.Albatross`).
_SYNSET: Final = re.compile(r"n\d{8}")
_WITH_SYNSET: Final = (
    re.compile(r"(?P<synset>n\d{8})[ .]+(?P<rest>.+)"),
    re.compile(r"(?P<rest>.+) \((?P<synset>n\d{8})\)"),
)
_NUMBERED: Final = re.compile(r"\d+[ .]+(?P<rest>.*[^\W\d].*)")
_BOOLEANS: Final = {"true": "1", "false": "0", "1": "true", "0": "false"}


def tidied(name: str) -> str:
    r"""Return a name without what nobody sees: blanks around it, marks of no width, accents apart.

    >>> tidied(" cat\u00a0"), tidied("grey  cat\ufeff"), tidied("ba\u0308r") == "b\u00e4r"
    ('cat', 'grey cat', True)
    """
    if name.isascii():
        return " ".join(name.split())
    seen = (
        letter
        for letter in unicodedata.normalize("NFC", name)
        if letter in _JOINERS or unicodedata.category(letter) != "Cf"
    )
    return " ".join("".join(seen).split())


def folded(name: str) -> str:
    """Return what is left of a name where blank, `_` and `-` are alike, and case does not count.

    Nor do quotes around it, wide letters, HTML entities, and zeros before a number or behind it.

    >>> folded("British_Shorthair") == folded("british-shorthair ")
    True
    >>> [folded(name) for name in ("007", "3.0", "class_07", "'cat'", "Tom &amp; Jerry")]
    ['7', '3', 'class 7', 'cat', 'tom & jerry']
    """
    plain = html.unescape(name) if "&" in name else name
    plain = tidied(unicodedata.normalize("NFKC", plain)).casefold().translate(_ALIKE)
    if quoted := _QUOTED.fullmatch(plain):
        plain = quoted[2]
    if number := _NUMBER.fullmatch(plain):
        return number[1]
    gaps_alike = _ZEROS.sub("", _GAPS.sub(" ", plain))
    return plain if gaps_alike == " " else gaps_alike  # a class may be called `-` or `_`


def as_number(text: str) -> int | None:
    """Return the whole number that a text is, with zeros before it or `.0` behind it, else None.

    >>> as_number(" 07"), as_number("3.0"), as_number("-1"), as_number("3.5")
    (7, 3, None, None)
    """
    number = _NUMBER.fullmatch(tidied(text))
    return int(number[1]) if number else None


def synset_of(name: str) -> str | None:
    """Return the synset id that a name holds, or that is the one of an ImageNet class called so.

    >>> synset_of("n02123045-tabby"), synset_of("Tabby cat"), synset_of("cat")
    ('n02123045', 'n02123045', None)
    """
    plain = folded(name)
    parts = _with_synset(plain)
    return parts["synset"] if parts else _synsets_by_name().get(plain)


def holds_synset(name: str) -> bool:
    """Tell whether a synset id is part of a name, or all of it.

    >>> holds_synset("n02123045"), holds_synset("n02123045-tabby"), holds_synset("tabby")
    (True, True, False)
    """
    plain = folded(name)
    return bool(_SYNSET.fullmatch(plain) or _with_synset(plain))


def other_names(name: str) -> list[str]:
    """Return, folded, what else a name may be called, the surest first.

    >>> other_names("n02123045-tabby")[:3], other_names("001.Black_footed_Albatross")
    (['n02123045', 'tabby', 'tabby cat'], ['black footed albatross'])
    >>> other_names("True"), other_names("cat")
    (['1'], [])
    """
    plain = folded(name)
    parts = _with_synset(plain)
    others = [folded(known) for known in names_of_synsets().get(synset_of(name) or "", ())]
    if parts:
        lemmas = {folded(lemma) for lemma in lemmas_of_synsets().get(parts["synset"], ())}
        shared = lemmas - {*others}  # by another class
        others = [parts["synset"], *({parts["rest"]} - shared), *others]
    elif numbered := _NUMBERED.fullmatch(plain):
        others.append(numbered["rest"])
    if plain in _BOOLEANS:
        others.append(_BOOLEANS[plain])
    return [other for other in dict.fromkeys(others) if other != plain]


def _with_synset(plain: str) -> re.Match[str] | None:
    return next((match for form in _WITH_SYNSET if (match := form.fullmatch(plain))), None)


@cache
def _synsets_by_name() -> Mapping[str, str]:
    return {folded(name): synset for synset, names in names_of_synsets().items() for name in names}

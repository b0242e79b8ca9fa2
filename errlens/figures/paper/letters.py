"""Names as a picture can show them: every letter has a glyph, and all of them can be told apart."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font

# Comes with matplotlib: the same letters everywhere.
FONT: Final = "DejaVu Sans"
# For what it lacks, where they are installed.
FALLBACKS: Final = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
)
LONGEST: Final = 64  # letters of a name


@lru_cache(maxsize=1)
def font_families() -> list[str]:
    """Return the names of the fonts that texts are set in, the first that has a glyph counts."""
    installed = set(fontManager.get_font_names())
    return [FONT, *(name for name in FALLBACKS if name in installed)]


def shown_text(text: str) -> str:
    r"""Return a text with control characters, and those no font has, escaped.

    >>> print(shown_text("two\nlines and $x_1$"))
    two\nlines and $x_1$
    """
    return "".join(map(_shown_letter, text))


def shown_name(name: str, *, longest: int = LONGEST) -> str:
    """Return a name to be shown: a long one loses its middle, one of only blanks is quoted.

    >>> shown_name("american staffordshire terrier", longest=21), shown_name(" ")
    ('american s…re terrier', "' '")
    """
    letters = [*map(_shown_letter, name if name.strip() else f"'{name}'")]
    return _without_middle(letters, longest)


def shown_names(names: Sequence[str], *, longest: int = LONGEST) -> list[str]:
    """Return names to be shown; those that would look the same have their number among all added.

    >>> shown_names(["cat", "siberian husky 1", "siberian husky 2", "sib usky"], longest=9)
    ['cat', 'sibe…ky 1', 'sibe…ky 2', 'sib usky']
    """
    shown = [shown_name(name, longest=longest) for name in names]
    count = Counter(shown)
    for number, (name, short) in enumerate(zip(names, shown, strict=True), 1):
        if count[short] > 1:
            mark = f" ({number})"
            shown[number - 1] = shown_name(name, longest=longest - len(mark)) + mark
    return shown


def _without_middle(letters: list[str], longest: int) -> str:
    """Return letters as one text with as many of the middle left out as needed."""
    if sum(map(len, letters)) <= longest:
        return "".join(letters)
    head, tail = _start(letters, longest // 2), _start(letters[::-1], (longest - 1) // 2)
    return "".join([*head, "…", *tail[::-1]])


def _start(letters: list[str], longest: int) -> list[str]:
    """Return the first letters; an escaped one is kept whole."""
    length = 0
    for count, letter in enumerate(letters):
        length += len(letter)
        if length > longest:
            return letters[:count]
    return letters


@lru_cache(maxsize=10_000)
def _shown_letter(letter: str) -> str:
    """Return a letter, or its escape sequence if it has no glyph or would not be seen."""
    is_control = unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    if not is_control and any(font.get_char_index(ord(letter)) for font in _fonts()):
        return letter
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


@lru_cache(maxsize=1)
def _fonts() -> list[FT2Font]:
    return [get_font(findfont(FontProperties(family=[name]))) for name in font_families()]

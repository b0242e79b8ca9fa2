"""Names and sentences where there is little room: shortened in the middle, folded between words."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Final

from rich.cells import cell_len

_CUT: Final = "…"
_OF_THE_START: Final = 2 / 3  # of what is left of a name
_OF_A_PATH: Final = 1 / 3  # the name of the file says more than that of its folder

# A number keeps its unit.
BETWEEN_WORDS: Final = re.compile(r" (?!%|pp\b|\*|(?:(?:~|->) )?B\))")
BEFORE_BRACKETS: Final = re.compile(r" (?=\()")


def shortened(name: str, width: int, others: Iterable[str] = ()) -> str:
    """Return a name that takes so many columns at most, unlike others where that is possible.

    >>> shortened("Staffordshire_Bull_Terrier", 24)
    'Staffordshire_B…_Terrier'
    >>> shortened("site_1_photo", 8, ["site_2_photo"]), shortened("猫の写真です", 8)
    ('site_1…o', '猫の…す')
    """
    return Shortening((name, *others), width)(name)


def folded(
    text: str, width: int, *, at: re.Pattern[str] = BETWEEN_WORDS, cut: bool = False
) -> list[str]:
    """Break a text between its words, and where it is `cut`, also words that are too wide.

    >>> folded("69.2 % of the images", 8), folded("photographs", 5, cut=True)
    (['69.2 %', 'of the', 'images'], ['photo', 'graph', 's'])
    """
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in filter(None, at.split(text)):
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(line) > width and lines[-1]:
            lines.append("")
            line = word
        while cut and cell_len(line) > width:
            piece = _start(line, width) or line[0]
            lines[-1:] = [piece, ""]
            line = line[len(piece) :]
        lines[-1] = line
    return lines if lines[-1] else lines[:-1]


class Shortening:
    """Shortens the names of a table, all to one width, so that they stay apart if they can."""

    def __init__(self, names: Iterable[str], width: int) -> None:
        self._width = width
        self._long = {name for name in names if cell_len(name) > width}
        self._ends = cache(self._count_ends)

    def __call__(self, name: str) -> str:
        """Return a name, shortened if it has to be."""
        if name not in self._long:
            return name
        usual = round((self._width - 1) * (_OF_A_PATH if "/" in name else _OF_THE_START))
        heads = sorted(range(1, max(self._width - 1, 2)), key=lambda head: abs(head - usual))
        alone = (head for head in heads if self._ends(head)[self._cut(name, head)] == 1)
        start, end = self._cut(name, next(alone, usual))
        return f"{start}{_CUT}{end}"

    def _count_ends(self, head: int) -> Counter[tuple[str, str]]:
        return Counter(self._cut(name, head) for name in self._long)

    def _cut(self, name: str, head: int) -> tuple[str, str]:
        start = _start(name, head)
        rest = self._width - cell_len(_CUT) - cell_len(start)
        return start, _start(name[::-1], rest)[::-1]


def longest_word(text: str, at: re.Pattern[str] = BETWEEN_WORDS) -> int:
    """Return how many columns the widest word of a text takes."""
    return max(map(cell_len, at.split(text)))


def _start(text: str, width: int) -> str:
    """Return the longest start of a text that takes so many columns at most."""
    end = len(text)
    while cell_len(text[:end]) > width:
        end -= 1
    return text[:end]

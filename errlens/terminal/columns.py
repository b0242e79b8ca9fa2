"""The columns of a table, and how wide they are in each layout."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from rich.cells import cell_len

from errlens.escapes import printable
from errlens.terminal.words import BETWEEN_WORDS, folded, longest_word

NO_LIMIT: Final = 100_000
HEAD_LINES: Final = 3
# A head that holds a name takes no more, even if its words have to be cut.
_LONG_HEAD: Final = 24
_LONG_HEAD_AT_LAST: Final = 16


class Names(NamedTuple):
    """A cell that holds names, such as `cat -> dog`: each of them may be shortened."""

    names: tuple[str, ...]
    joint: str


class Verdict(NamedTuple):
    """A cell that says whether something is as it was asked for."""

    text: str
    passed: bool

    @property
    def style(self) -> str:
        """The colour of good, or of bad news."""
        return "green" if self.passed else "bold red"


Cell = str | Names | Verdict


class Layout(NamedTuple):
    """How a table is made narrower; the first of these are as wide as it would like to be."""

    space: int = 3  # between columns
    head_lines: int = 1
    prose: int = NO_LIMIT
    name: int = NO_LIMIT
    gone: int = 0  # how many of the columns that may go
    numbers_at: re.Pattern[str] | None = None  # where cells with numbers are broken, if they are


class Column:
    """The cells of a column, and how wide they are in a layout."""

    def __init__(
        self, head: str, cells: Sequence[Cell], *, is_prose: bool = False, is_whole: bool = False
    ) -> None:
        self.is_number, self._holds_name = head.startswith(">"), head.startswith("<")
        self.is_prose, self.is_whole = is_prose, is_whole
        self.head = label(head)
        self.cells = [_as_names(cell) for cell in cells]
        self.styles = [cell.style if isinstance(cell, Verdict) else "" for cell in cells]

    @cached_property
    def names(self) -> set[str]:
        """The names that may be shortened."""
        if self.is_number or self.is_prose or self.is_whole:
            return set()
        return {name for cell in self.cells for name in cell.names}

    @cached_property
    def widest_cell(self) -> int:
        """The columns that its cells take as they are."""
        return max(cell_len(cell.joint.join(cell.names)) for cell in self.cells)

    def width(self, layout: Layout) -> int:
        """Return how many columns it takes."""
        return max(self._head_width(layout), self._cells_width(layout))

    def lines(self, layout: Layout, shorten: Callable[[str], str]) -> tuple[list[str], ...]:
        """Return the lines of the head and of each cell."""
        width = NO_LIMIT if self.is_whole else self.width(layout)
        at = (self.is_number and layout.numbers_at) or BETWEEN_WORDS
        texts = (
            cell.joint.join(map(shorten, cell.names) if self.names else cell.names)
            for cell in self.cells
        )
        return folded(self.head, width, cut=True), *(
            folded(text, width, at=at, cut=self.is_prose) for text in texts
        )

    def _head_width(self, layout: Layout) -> int:
        narrowest = self._head_widths[layout.head_lines - 1]
        if not self._holds_name or layout.head_lines == 1:
            return narrowest
        return min(narrowest, _LONG_HEAD_AT_LAST if layout.numbers_at else _LONG_HEAD)

    @cached_property
    def _head_widths(self) -> list[int]:
        """The columns that the head takes on one line, on two, and so on."""
        tried = range(longest_word(self.head), cell_len(self.head) + 1)
        lines = {width: len(folded(self.head, width)) for width in tried}
        return [
            min(width for width in tried if lines[width] <= most)
            for most in range(1, HEAD_LINES + 1)
        ]

    def _cells_width(self, layout: Layout) -> int:
        if self.is_whole:
            return self.widest_cell
        if self.is_number:
            return self._widest_part(layout.numbers_at)
        if self.is_prose:
            return min(self.widest_cell, layout.prose)
        if layout.name >= self.widest_cell:
            return self.widest_cell
        return max(
            sum(min(width, layout.name) for width in widths) + joints
            for widths, joints in self._name_widths
        )

    def _widest_part(self, at: re.Pattern[str] | None) -> int:
        if not at:
            return self.widest_cell
        return max(longest_word(text, at) for cell in self.cells for text in cell.names)

    @cached_property
    def _name_widths(self) -> list[tuple[list[int], int]]:
        return [
            ([*map(cell_len, cell.names)], cell_len(cell.joint) * (len(cell.names) - 1))
            for cell in self.cells
        ]


def label(head: str) -> str:
    """Return the head of a column as it is shown."""
    return printable(head[head[:1] in ("<", ">") :])


def _as_names(cell: Cell) -> Names:
    if isinstance(cell, Names):
        return Names(tuple(map(printable, cell.names)), cell.joint)
    return Names((printable(cell.text if isinstance(cell, Verdict) else cell),), "")

"""Tables that fit the terminal: what gives way where there is no room, and in which order.

1. Columns move together, and heads take up to three lines.
2. Sentences take several lines, and names are shortened in their middle, both within reason.
3. Columns go, one after the other, as far as the table says that they may.
4. Sentences become narrow, and names a bit shorter.
5. The parts of a number's cell, as in `40.0 % (2 of 5)`, stand below one another, and names are
   shortened to what can just be read.

A number is never cut, nor what is to be copied. Where there is room for all, nothing is changed.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from rich.cells import cell_len

from errlens.terminal.columns import HEAD_LINES, Cell, Column, Layout, label
from errlens.terminal.words import BEFORE_BRACKETS, BETWEEN_WORDS, Shortening

_SPACES: Final = (3, 2)  # between columns
# How many columns names and sentences have before columns go, and then, together with where the
# cells with numbers are broken.
_NAME: Final = 16
_PROSE: Final = 24
_AT_LAST: Final = ((None, 12, 12), (BEFORE_BRACKETS, 8, 12), (BETWEEN_WORDS, 8, 9))


class Span(NamedTuple):
    """A piece of a line, with its style."""

    text: str
    style: str = ""


class Fitted(NamedTuple):
    """The lines of a table, and the heads of the columns that there was no room for."""

    lines: list[list[Span]]
    left_out: list[str]


def fitted(
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    *,
    gives_way: Sequence[str] = (),
    prose: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Fitted:
    """Lay a table out.

    Args:
        heads: Of the columns; those that start with `>` hold numbers, set to the right. One that
            holds a name, and may start with anything, is led in by a `<`.
        rows: A cell for each column.
        width: The columns of the terminal.
        gives_way: Heads of the columns that may go, the least important first; columns with the
            same head go together.
        prose: Heads of the columns that hold sentences.
        whole: Heads of the columns whose cells are copied, like paths: they are never shortened,
            and one that is wider than the terminal goes on in its next line.
    """
    may_go = [head for head in gives_way if head in heads]
    table = _Table(heads, rows, may_go, prose, whole)
    layout = table.widest(width)
    return Fitted(table.lines(layout), [label(head) for head in may_go[: layout.gone]])


class _Table:
    """The columns of a table, of which some may go."""

    def __init__(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        gives_way: Sequence[str],
        prose: Sequence[str],
        whole: Sequence[str],
    ) -> None:
        columns = zip(heads, zip(*rows, strict=True), strict=True)
        self._columns = [
            (
                Column(head, cells, is_prose=head in prose, is_whole=head in whole),
                _place(head, gives_way),
            )
            for head, cells in columns
        ]
        self._most_gone = len(gives_way)

    def widest(self, width: int) -> Layout:
        """Return the widest layout that fits, or the narrowest there is."""
        layout = Layout()
        for layout in self._layouts(width):
            if self._width(layout) <= width:
                break
        # A step further down may have made room for what was given up above.
        for space in _SPACES:
            for n_lines in range(1, layout.head_lines + 1):
                roomier = layout._replace(space=space, head_lines=n_lines)
                if self._width(roomier) <= width:
                    return roomier
        return layout

    def lines(self, layout: Layout) -> list[list[Span]]:
        """Return head and rows; where cells of a row take several lines, they start together."""
        columns = self._kept(layout)
        names = sorted(set[str]().union(*(column.names for column in columns)))
        shorten = Shortening(names, layout.name)
        widths = [column.width(layout) for column in columns]
        head, *rows = zip(*(column.lines(layout, shorten) for column in columns), strict=True)
        n_lines = max(map(len, head))
        lowered = [[""] * (n_lines - len(lines)) + lines for lines in head]
        styles = [["dim"] * len(columns), *zip(*(column.styles for column in columns), strict=True)]
        return [
            _line(texts, columns, widths, of_row, " " * layout.space)
            for row, of_row in zip([lowered, *rows], styles, strict=True)
            for texts in _side_by_side(row)
        ]

    def _kept(self, layout: Layout) -> list[Column]:
        return [column for column, place in self._columns if place >= layout.gone]

    def _width(self, layout: Layout) -> int:
        widths = [column.width(layout) for column in self._kept(layout)]
        return sum(widths) + layout.space * (len(widths) - 1)

    def _layouts(self, width: int) -> Iterator[Layout]:
        """Yield ever narrower layouts."""
        names = [cell_len(name) for column, _ in self._columns for name in column.names]
        sentences = [column.widest_cell for column, _ in self._columns if column.is_prose]
        longest_name, longest_prose = (min(width, max(of, default=0)) for of in (names, sentences))
        yield Layout()
        yield from (Layout(_SPACES[-1], n_lines) for n_lines in range(1, HEAD_LINES + 1))
        for gone in range(self._most_gone + 1):
            narrow = Layout(_SPACES[-1], HEAD_LINES, gone=gone)
            yield narrow
            yield from _with_prose(narrow, longest_prose, _PROSE)
            yield from _with_names(narrow._replace(prose=_PROSE), longest_name, _NAME)
        for numbers_at, least_name, least_prose in _AT_LAST:
            narrow = narrow._replace(numbers_at=numbers_at)
            yield from _with_prose(narrow, _PROSE, least_prose)
            yield from _with_names(narrow._replace(prose=least_prose), _NAME, least_name)


def _with_prose(layout: Layout, first: int, last: int) -> Iterator[Layout]:
    return (layout._replace(prose=most) for most in range(first, last - 1, -1))


def _with_names(layout: Layout, first: int, last: int) -> Iterator[Layout]:
    return (layout._replace(name=most) for most in range(first, last - 1, -1))


def _place(head: str, gives_way: Sequence[str]) -> int:
    """Return how many columns go before this one."""
    return gives_way.index(head) if head in gives_way else len(gives_way)


def _side_by_side(cells: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a row, whose cells may have different numbers of lines."""
    return zip_longest(*cells, fillvalue="")


def _line(
    texts: Sequence[str],
    columns: Sequence[Column],
    widths: Sequence[int],
    styles: Sequence[str],
    space: str,
) -> list[Span]:
    """Return a line of a table, without blanks at its end."""
    spans: list[Span] = []
    for text, column, width, style in zip(texts, columns, widths, styles, strict=True):
        blank = " " * (width - cell_len(text))
        before, after = (blank, "") if column.is_number else ("", blank)
        spans += [Span(before), Span(text, style), Span(after + space)]
    while spans and not spans[-1].text.strip():
        spans.pop()
    return spans

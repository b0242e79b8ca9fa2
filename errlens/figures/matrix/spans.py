"""Superclasses: their borders in a matrix, and brackets with their names around it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.sheet import (
    SMALL,
    TEXT,
    Segment,
    Sheet,
    line_height,
    name_pitch,
    text_width,
)

LONGEST_SPAN: Final = 40  # letters of a name
BRACKET: Final = 8  # pixels from the matrix to a bracket
NAME: Final = 6  # and from there to its name
LEAST_BRACKET: Final = 8
INSET: Final = 2  # a bracket is shorter than what it holds at each end


class Span(NamedTuple):
    """A superclass: a stretch of the classes as drawn, from `start` to before `stop`."""

    name: str
    start: int
    stop: int


def borders(spans: Sequence[Span], k: int) -> list[Segment]:
    """Return the lines between superclasses in a matrix of `k` classes, in cells."""
    inner = sorted({edge for span in spans for edge in span[1:]} - {0, k})
    rows: list[Segment] = [((0, edge), (k, edge)) for edge in inner]
    columns: list[Segment] = [((edge, 0), (edge, k)) for edge in inner]
    return rows + columns


class Brackets:
    """Brackets with the names of superclasses, for cells of `cell` pixels.

    `beside` and `above` are the pixels they take there. A name that would run into its neighbours
    is left out.
    """

    def __init__(self, spans: Sequence[Span], *, cell: int) -> None:
        names = [shown_name(span.name, longest=LONGEST_SPAN) for span in spans]
        self._held = [(span.start * cell, span.stop * cell) for span in spans]
        room = [stop - start for start, stop in self._held]
        self._size = TEXT if min(room, default=0) >= name_pitch(TEXT) else SMALL
        least = name_pitch(self._size)
        self._names = [
            name if height >= least else "" for name, height in zip(names, room, strict=True)
        ]
        self._is_level = all(
            text_width([name], size=self._size) <= stop - start - 2 * INSET
            for name, (start, stop) in zip(self._names, self._held, strict=True)
        )
        widest = text_width(self._names, size=self._size)
        self.beside = BRACKET + NAME + widest if spans else 0
        self.above = (
            BRACKET + NAME + (line_height(self._size) if self._is_level else widest) if spans else 0
        )

    def draw_beside(self, sheet: Sheet, x: int, y: int) -> None:
        """Draw them to the right of a matrix whose upper right corner is at `x`, `y`."""
        x += BRACKET
        sheet.lines([((x, y + start), (x, y + stop)) for start, stop in self._inset()])
        for name, (start, stop) in zip(self._names, self._held, strict=True):
            if name:
                sheet.text(x + NAME, y + (start + stop) / 2, name, size=self._size, va="center")

    def draw_above(self, sheet: Sheet, x: int, y: int) -> None:
        """Draw them above a matrix whose upper left corner is at `x`, `y`."""
        y -= BRACKET
        sheet.lines([((x + start, y), (x + stop, y)) for start, stop in self._inset()])
        turn = 0 if self._is_level else 90
        for name, (start, stop) in zip(self._names, self._held, strict=True):
            if name:
                looks = {"ha": "center", "va": "bottom", "rotation": turn}
                sheet.text(x + (start + stop) / 2, y - NAME, name, size=self._size, **looks)

    def _inset(self) -> list[tuple[int, int]]:
        return [(a + INSET, b - INSET) for a, b in self._held if b - a >= LEAST_BRACKET]

"""Parts of the figure of an image under a square: its legend, and what a unit sees."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image

from errlens.figures.maps.bars import TICK, paste
from errlens.figures.paper.distinct import DISTINCT, OTHER
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import DIM, GAP, SMALL, Pixels, Sheet, line_height, wrapped

COLUMN: Final = 330  # pixels a panel has with its bar
TILE_GAP: Final = 6
FRAME: Final = 3  # pixels around the projection in the image itself
SWATCH: Final = 13


def draw_tiles(
    paper: Pixels, pictures: Sequence[Pixels], corner: tuple[int, int], size: tuple[int, int]
) -> list[Place]:
    """Put up to four pictures on the paper: one alone as large as a panel, more in two rows."""
    x, y = corner
    side = min(size)
    places = []
    across = 1 if len(pictures) == 1 else 2
    pitch = (side + TILE_GAP) // across
    inner = pitch - TILE_GAP - 2 * FRAME if across > 1 else side - 2 * FRAME
    for at, picture in enumerate(pictures[: across * across]):
        row, column = divmod(at, across)
        left, top = x + column * pitch, y + row * pitch
        high, wide = picture.shape[:2]
        by = inner / max(high, wide)
        large = (max(1, round(wide * by)), max(1, round(high * by)))
        resized = np.asarray(Image.fromarray(picture).resize(large, Image.Resampling.BICUBIC))
        if at == 0:
            framed = np.zeros((large[1] + 2 * FRAME, large[0] + 2 * FRAME, 3), np.uint8)
            paste(paper, framed, left, top)
        places.append(paste(paper, resized, left + FRAME, top + FRAME))
    return places


class Legend:
    """The names of the colours of classes, with the numbers that stand in the cells, and notes."""

    def __init__(self, names: Sequence[str], others: str, notes: Sequence[str]) -> None:
        room = COLUMN - SWATCH - TICK - GAP
        named = [f"{number}  {text}" for number, text in enumerate(names, 1)]
        rows = list(zip(DISTINCT, named, strict=False))
        rows += [(OTHER, others)] if others else []
        self._rows = [(colour, wrapped(text, room, size=SMALL)) for colour, text in rows]
        self._notes = [wrapped(note, COLUMN - GAP, size=SMALL) for note in notes]
        below = sum(line_height(SMALL) * len(note) + GAP for note in self._notes)
        self.height = sum(self._high(lines) for _, lines in self._rows) + below

    def draw(self, sheet: Sheet, paper: Pixels, x: int, y: int) -> list[Place]:
        """Draw it to the right of and below a place; return where its colours are."""
        places = []
        for colour, lines in self._rows:
            swatch = np.full((SWATCH, SWATCH, 3), colour, np.uint8)
            places.append(paste(paper, swatch, x, y + 1))
            write(sheet, x + SWATCH + TICK, y, lines, size=SMALL)
            y += self._high(lines)
        for note in self._notes:
            write(sheet, x, y + GAP, note, size=SMALL)
            y += line_height(SMALL) * len(note) + GAP
        return places

    def _high(self, lines: Sequence[str]) -> int:
        return max(SWATCH + 4, line_height(SMALL) * len(lines))


def write(sheet: Sheet, x: int, y: int, lines: Sequence[str], *, size: float, **looks: str) -> None:
    """Write lines to the right of and below a place."""
    for number, line in enumerate(lines):
        sheet.text(x, y + number * line_height(size), line, size=size, **{"color": DIM, **looks})

"""What channels answer to: their strongest patches, beside projections of them.

As in figure 2 of M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks",
ECCV 2014.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from errlens.figures.paper.letters import shown_text
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
    INK,
    PAD,
    SMALL,
    TEXT,
    Pixels,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
    wrapped,
)
from errlens.figures.paper.writing import Writing, written_width

TILE: Final = 58  # pixels of the side of a patch
BETWEEN: Final = 2  # pixels between patches
HALVES: Final = 8  # pixels between projections and patches
BLOCKS: Final = (24, 22)  # pixels between blocks of a line, and between lines
SECTIONS: Final = 18  # pixels more between sections
WIDEST: Final = 1560  # pixels of a line of blocks, if more than one is in it
PALE: Final = 238  # the grey where there is no patch


class Block(NamedTuple):
    """One channel: its patches, strongest first, and where there are any, their projections.

    All are uint8 of shape (h, w, 3), of any size. `lines` stand below; `why_none` says why there
    are no patches.
    """

    heading: str
    lines: Sequence[str]
    photos: Sequence[Pixels]
    projections: Sequence[Pixels] | None = None
    why_none: str = ""


class Section(NamedTuple):
    """Channels below a heading, which may be empty."""

    heading: str
    blocks: Sequence[Block]


def draw_feature_sheet(sections: Sequence[Section], *, title: str, legend: str, top: int) -> Figure:
    """Draw channels line by line: projections at the left, patches at the right.

    Args:
        sections: At least one, with a block at least.
        title: Long ones are wrapped.
        legend: How to read it.
        top: How many patches a channel may have.
    """
    with house_style():
        size = _Size(top, projected=any(b.projections for s in sections for b in s.blocks))
        across = min(size.across, max(len(section.blocks) for section in sections))
        width = across * (size.width + BLOCKS[0]) - BLOCKS[0]
        heading = Title(title, width)
        legend_lines = wrapped(legend, width, size=TEXT)
        lines = [
            _Line(
                section.heading if start == 0 else "", section.blocks[start : start + across], size
            )
            for section in sections
            for start in range(0, len(section.blocks), across)
        ]
        y = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        tops = []
        for line in lines:
            y += SECTIONS * bool(line.heading)
            tops.append(y)
            y += line.height + BLOCKS[1]
        full = max(width, heading.width, text_width(legend_lines, size=TEXT))
        sheet = Sheet(full + 2 * PAD, y - BLOCKS[1] + PAD)
        heading.draw(sheet)
        for number, text in enumerate(legend_lines):
            below = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, below, text, color=DIM)
        paper, texts = sheet.blank(), SmallTexts(sheet)
        pictures = [
            place
            for line, upper in zip(lines, tops, strict=True)
            for place in line.draw(paper, texts, upper)
        ]
        sheet.underlay(paper, pictures)
        texts.finish()
        return sheet.finished()


class _Size:
    """How large a block is, in pixels, and how many of them stand in a line."""

    def __init__(self, top: int, *, projected: bool) -> None:
        self.side = math.ceil(math.sqrt(top))  # patches in a row
        self.rows = math.ceil(top / self.side)
        self.half = self.side * (TILE + BETWEEN) - BETWEEN
        self.height = self.rows * (TILE + BETWEEN) - BETWEEN
        self.width = 2 * self.half + HALVES if projected else self.half
        self.across = max(1, (WIDEST + BLOCKS[0]) // (self.width + BLOCKS[0]))


class _Line:
    """Blocks beside each other, maybe below the heading of their section."""

    def __init__(self, heading: str, blocks: Sequence[Block], size: _Size) -> None:
        self.heading = heading
        self._blocks, self._size = blocks, size
        self._texts = [
            [
                line
                for text in block.lines
                for line in wrapped(shown_text(text), size.width, size=SMALL, measure=written_width)
            ]
            for block in blocks
        ]
        self._above = (line_height(TEXT) + GAP // 2) * bool(heading)
        texts = line_height(SMALL) * (1 + max(map(len, self._texts)))
        self.height = self._above + size.height + GAP // 2 + texts

    def draw(self, paper: Pixels, texts: "SmallTexts", top: int) -> list[Place]:
        """Draw everything below `top`; return where there are pictures."""
        if self.heading:
            texts.heading(self.heading, PAD, top)
        top += self._above
        places = []
        for number, (block, lines) in enumerate(zip(self._blocks, self._texts, strict=True)):
            x = PAD + number * (self._size.width + BLOCKS[0])
            places += self._draw_block(block, paper, texts, x, top)
            y = top + self._size.height + GAP // 2
            texts.line(block.heading, x, y)
            for line in lines:
                y += line_height(SMALL)
                texts.line(line, x, y, dim=True)
        return places

    def _draw_block(
        self, block: Block, paper: Pixels, texts: "SmallTexts", x: int, y: int
    ) -> list[Place]:
        size = self._size
        paper[y : y + size.height, x : x + size.width] = PALE
        if not block.photos:
            width = size.width - 2 * GAP
            for number, line in enumerate(
                wrapped(block.why_none, width, size=SMALL, measure=written_width)
            ):
                texts.line(line, x + GAP, y + GAP + number * line_height(SMALL), dim=True)
            return []
        if block.projections:
            self._tiles(block.projections, paper, x, y)
            paper[y : y + size.height, x + size.half : x + size.half + HALVES] = 255
            self._tiles(block.photos, paper, x + size.half + HALVES, y)
        else:
            self._tiles(block.photos, paper, x, y)
        return [(x, y, x + size.width, y + size.height)]

    def _tiles(self, pictures: Sequence[Pixels], paper: Pixels, x: int, y: int) -> None:
        size = self._size
        for number in range(size.side * size.rows):
            down, across = divmod(number, size.side)
            upper, left = y + down * (TILE + BETWEEN), x + across * (TILE + BETWEEN)
            box = paper[upper : upper + TILE, left : left + TILE]
            if number < len(pictures):
                box[:] = square_tile(pictures[number])
        for step in range(1, size.side):
            at = x + step * (TILE + BETWEEN) - BETWEEN
            paper[y : y + size.height, at : at + BETWEEN] = 255
        for step in range(1, size.rows):
            at = y + step * (TILE + BETWEEN) - BETWEEN
            paper[at : at + BETWEEN, x : x + size.half] = 255


class SmallTexts:
    """Collects small texts, which then are one artist for each colour."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._small: dict[str, list[tuple[str, float, float]]] = {INK: [], DIM: []}

    def heading(self, text: str, x: int, y: int) -> None:
        """Write the heading of a section below its position."""
        self._sheet.text(x, y, text)

    def line(self, text: str, x: int, y: int, *, dim: bool = False) -> None:
        """Write a small line below its position."""
        if text.strip():
            self._small[DIM if dim else INK].append((text, x, y + line_height(SMALL) / 2))

    def finish(self) -> None:
        """Put the texts on the sheet."""
        for colour, texts in self._small.items():
            if texts:
                words, places = [text for text, _, _ in texts], [(x, y) for _, x, y in texts]
                Writing(
                    self._sheet.margins, words, places, size=SMALL, align="left", colours=colour
                )


def square_tile(picture: Pixels) -> Pixels:
    """Return a picture as a tile, its pixels squares where they are few, with pale ends."""
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    fits = (max(1, round(width * scale)), max(1, round(height * scale)))
    coarse = max(height, width) <= TILE // 2
    how = Image.Resampling.NEAREST if coarse else Image.Resampling.LANCZOS
    shown = np.asarray(Image.fromarray(picture).resize(fits, how))
    tile = np.full((TILE, TILE, 3), PALE, np.uint8)
    top, left = (TILE - fits[1]) // 2, (TILE - fits[0]) // 2
    tile[top : top + fits[1], left : left + fits[0]] = shown
    return tile

"""All channels of a layer in a grid, of one image or of several side by side."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.network.shades import Scale, ScaleBar, fitted, shaded
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
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

LINE_WIDTH: Final = 2  # pixels between tiles
BETWEEN: Final = 28  # pixels between grids
# Between tiles: what none of them has, a blue grey beside greys and a grey beside colours.
LINES: Final = {False: (214, 221, 230), True: (90, 90, 90)}
LEAST_TITLE: Final = 160  # pixels for the title of a grid


class Block(NamedTuple):
    """The channels of one image: a title, and shares of the scale, (channels, rows, columns)."""

    title: str
    shares: NDArray[np.floating]


def draw_channel_grid(
    blocks: Sequence[Block],
    *,
    grid: tuple[int, int],
    tile: int,
    title: str,
    subtitle: str = "",
    scale: Scale | None = None,
    signed: bool = False,
) -> Figure:
    """Draw every channel as a tile; the number of one is that of its row and its column added.

    Args:
        blocks: At least one; they stand side by side.
        grid: Rows and columns.
        tile: Pixels of the longest side of a tile.
        title: Long ones are wrapped.
        subtitle: Below it, wrapped.
        scale: The scale that all tiles share; None if they have their own.
        signed: Colours: blue and red about zero instead of shades of grey.
    """
    with house_style():
        layout = _GridLayout(blocks, grid, tile, signed=signed)
        bar = ScaleBar(scale, layout.grid_height) if scale else None
        width = layout.width + (BETWEEN + bar.width if bar else 0)
        heading = Title(title, width)
        lines = wrapped(subtitle, max(width, heading.width), size=TEXT)
        width = max(width, heading.width, text_width(lines, size=TEXT))
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        bar_height = layout.top + bar.height if bar else 0
        sheet = Sheet(width + 2 * PAD, top + max(layout.height, bar_height) + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            sheet.text(PAD, PAD + heading.height + number * line_height(TEXT), line, color=DIM)
        paper = sheet.blank()
        places = layout.draw(sheet, paper, PAD, top)
        if bar:
            x = PAD + layout.width + BETWEEN
            places.append(bar.draw(sheet, paper, x, top + layout.top))
        sheet.underlay(paper, places)
        return sheet.finished()


class _GridLayout:
    """Where all tiles are; width and height in pixels."""

    def __init__(
        self, blocks: Sequence[Block], grid: tuple[int, int], tile: int, *, signed: bool
    ) -> None:
        self._blocks, self._signed = blocks, signed
        self._rows, self._columns = grid
        tiles = [fitted(block.shares[0], tile, tile).shape for block in blocks]
        self._tile = (max(high for high, _ in tiles), max(wide for _, wide in tiles))
        self._numbers = text_width([str(self._rows * self._columns)], size=SMALL) + GAP // 2
        self._pitch = (self._tile[0] + LINE_WIDTH, self._tile[1] + LINE_WIDTH)
        self.grid_height = self._rows * self._pitch[0] + LINE_WIDTH
        self._grid_width = self._columns * self._pitch[1] + LINE_WIDTH
        self._block = self._numbers + max(self._grid_width, LEAST_TITLE)
        self._titles = [wrapped(block.title, self._block, size=TEXT) for block in blocks]
        self._above = max(map(len, self._titles)) * line_height(TEXT)
        self.top = self._above + line_height(SMALL)
        self.width = len(blocks) * (self._block + BETWEEN) - BETWEEN
        self.height = self.top + self.grid_height

    def draw(self, sheet: Sheet, paper: Pixels, left: int, top: int) -> list[Place]:
        """Put everything on a sheet; return where the grids are."""
        places = []
        for block, title in zip(self._blocks, self._titles, strict=True):
            for number, line in enumerate(title):
                sheet.text(left, top + number * line_height(TEXT), line)
            x, y = left + self._numbers, top + self.top
            self._write_numbers(sheet, x, y)
            box = paper[y : y + self.grid_height, x : x + self._grid_width]
            box[:] = LINES[self._signed]
            for channel, shares in enumerate(block.shares):
                self._paste(box, channel, shares)
            places.append((x, y, x + self._grid_width, y + self.grid_height))
            left += self._block + BETWEEN
        return places

    def _paste(self, box: Pixels, channel: int, shares: NDArray[np.floating]) -> None:
        row, column = divmod(channel, self._columns)
        pixels = shaded(fitted(shares, self._tile[1], self._tile[0]), signed=self._signed)
        y, x = LINE_WIDTH + row * self._pitch[0], LINE_WIDTH + column * self._pitch[1]
        box[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels

    def _write_numbers(self, sheet: Sheet, x: int, y: int) -> None:
        """Write the first channel of each row at its left, and what a column adds above it."""
        step = -(-text_width([f"+{self._columns - 1}"], size=SMALL) // self._pitch[1])
        for column in range(0, self._columns, step):
            middle = x + LINE_WIDTH + column * self._pitch[1] + self._tile[1] / 2
            sheet.text(middle, y, f"+{column}", size=SMALL, color=DIM, ha="center", va="bottom")
        step = -(-line_height(SMALL) // self._pitch[0])
        for row in range(0, self._rows, step):
            middle = y + LINE_WIDTH + row * self._pitch[0] + self._tile[0] / 2
            number = str(row * self._columns)
            sheet.text(x - GAP // 2, middle, number, size=SMALL, color=DIM, ha="right", va="center")

"""Filters as small images, each with its number and what is to be said of it."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

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

TILE: Final = 56  # pixels of the longest side of a small filter
MOST: Final = 224  # pixels of a wide one, whose channels stand side by side
BETWEEN: Final = 8  # pixels between filters
SHEETS: Final = 32  # pixels between networks
BETWEEN_CHANNELS: Final = 1  # pixels of a filter, between channels that are no colours
_COLOURS: Final = (1, 3)
_WIDE: Final = 1.6  # columns for each row


class FilterTile(NamedTuple):
    """A filter, shape (channels, rows, columns) and red first, and a word of what it is.

    The largest weight that its scale has room for is 1; what is beyond is cut. One that is `dim` is
    of no use.
    """

    weights: NDArray[np.floating]
    word: str = ""
    dim: bool = False


class FilterSheet(NamedTuple):
    """The filters of one layer below a title, numbered from 0."""

    title: str
    tiles: Sequence[FilterTile]


def draw_filters(sheets: Sequence[FilterSheet], *, title: str, subtitle: str = "") -> Figure:
    """Draw filters of one layer, or of several side by side: grey is zero.

    Args:
        sheets: At least one, each with a filter or more.
        title: Long ones are wrapped.
        subtitle: Below it, wrapped.
    """
    with house_style():
        layouts = [_Layout(sheet) for sheet in sheets]
        width = sum(layout.width + SHEETS for layout in layouts) - SHEETS
        heading = Title(title, width)
        width = max(width, heading.width)
        lines = wrapped(subtitle, width, size=TEXT)
        titles = max(len(layout.title) for layout in layouts) * line_height(TEXT) + GAP // 2
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        height = top + titles + max(layout.height for layout in layouts) + PAD
        sheet = Sheet(width + 2 * PAD, height)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, color=DIM)
        paper, pictures, x = sheet.blank(), [], PAD
        for layout in layouts:
            for number, line in enumerate(layout.title):
                sheet.text(x, top + number * line_height(TEXT), line, fontweight="bold")
            pictures += layout.draw(sheet, paper, x, top + titles)
            x += layout.width + SHEETS
        sheet.underlay(paper, pictures)
        return sheet.finished()


class _Layout:
    """Where the filters of a layer are; width and height in pixels."""

    def __init__(self, sheet: FilterSheet) -> None:
        self._tiles = sheet.tiles
        self._pictures = [_enlarged(as_image(tile.weights)) for tile in sheet.tiles]
        high, wide, _ = self._pictures[0].shape
        captions = text_width(
            (_caption(number, tile) for number, tile in enumerate(sheet.tiles)), size=SMALL
        )
        self._pitch = (high + line_height(SMALL) + BETWEEN, max(wide, captions) + BETWEEN)
        cells = len(sheet.tiles) * self._pitch[0] / self._pitch[1]
        self._columns = min(len(sheet.tiles), max(1, math.ceil(math.sqrt(_WIDE * cells))))
        rows = math.ceil(len(sheet.tiles) / self._columns)
        self.width = max(self._columns * self._pitch[1] - BETWEEN, 2 * MOST)
        self.height = rows * self._pitch[0] - BETWEEN
        self.title = wrapped(sheet.title, self.width, size=TEXT)

    def draw(self, sheet: Sheet, paper: Pixels, left: int, top: int) -> list[Place]:
        """Put all filters on a sheet; return where they are."""
        places = []
        for number, (tile, picture) in enumerate(zip(self._tiles, self._pictures, strict=True)):
            row, column = divmod(number, self._columns)
            x, y = left + column * self._pitch[1], top + row * self._pitch[0]
            high, wide, _ = picture.shape
            paper[y : y + high, x : x + wide] = picture
            places.append((x, y, x + wide, y + high))
            colour = DIM if tile.dim else INK
            sheet.text(x, y + high + 2, _caption(number, tile), size=SMALL, color=colour)
        return places


def as_image(weights: NDArray[np.floating]) -> Pixels:
    """Return a filter as colours, or in grey; other channels than colours stand side by side.

    Args:
        weights: Shape (channels, rows, columns); -1 is as dark, and 1 as light, as can be.

    >>> as_image(np.array([[[-1.0, 0.0, 2.0]]]))[0].tolist()
    [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    finite = np.nan_to_num(np.asarray(weights, float), nan=0.0)
    pixels = np.rint(127.5 + 127.5 * finite.clip(-1, 1)).astype(np.uint8)
    if len(pixels) not in _COLOURS:
        gap = np.full((pixels.shape[1], BETWEEN_CHANNELS), 255, np.uint8)
        parts = [part for channel in pixels for part in (gap, channel)][1:]
        pixels = np.concatenate(parts, axis=1)[None]
    coloured: Pixels = np.repeat(pixels, 3, axis=0) if len(pixels) == 1 else pixels
    return np.ascontiguousarray(coloured.transpose(1, 2, 0))


def _enlarged(pixels: Pixels) -> Pixels:
    """Return a filter in whole multiples; of a large one, each weight is a pixel."""
    high, wide, _ = pixels.shape
    times = max(1, min(TILE // high, MOST // wide))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _caption(number: int, tile: FilterTile) -> str:
    return f"{number} {tile.word}".rstrip()

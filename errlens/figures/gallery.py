"""Contact sheets: photos in a grid or side by side in columns, each with its caption."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from errlens.figures.paper.letters import LONGEST, shown_name
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

Correctness = Literal["wrong", "right", "other"]

SIDE: Final = 200  # pixels of the longest side of a picture
FRAME: Final = 4  # pixels around it
BETWEEN: Final = 36  # pixels between columns
ASIDE: Final = (16, 36)  # pixels between tiles of one column, of one picture and of several
BELOW: Final = 18  # pixels between rows
EMPTY: Final = (SIDE, 110)  # width and height of the box for a picture that is not there
PALE: Final = 238  # its grey
LONGEST_LINE: Final = LONGEST + 2  # letters of a name, and an arrow before it

# Okabe and Ito's vermilion and blue, which colour-blind readers can tell apart.
COLOURS: Final[dict[Correctness, tuple[int, int, int]]] = {
    "wrong": (213, 94, 0),
    "right": (0, 114, 178),
    "other": (170, 170, 170),
}

Picture = Pixels | str  # at most SIDE x SIDE, or the reason why there is none


class Line(NamedTuple):
    """What stands below a picture, in as many lines as it needs.

    Only a `text` longer than names are loses its middle, `tail` nothing.
    """

    text: str
    tail: str = ""
    dim: bool = False


class Tile(NamedTuple):
    """Pictures of one image, side by side, with what there is to say of it.

    `remark` is a person's; it is wrapped, not cut.
    """

    pictures: tuple[Picture, ...]
    lines: tuple[Line, ...]
    correctness: Correctness = "other"
    remark: str = ""


class Column(NamedTuple):
    """Tiles below a heading, read line by line, `across` of them in a line."""

    heading: str
    tiles: Sequence[Tile]
    across: int = 1

    def rows(self) -> Iterator[Sequence[Tile]]:
        """Yield the lines of tiles."""
        for at in range(0, len(self.tiles), self.across):
            yield self.tiles[at : at + self.across]


def draw_gallery(
    columns: Sequence[Column], *, title: str, legend: str = "", remarks: Sequence[str] = ()
) -> Figure:
    """Draw columns of tiles; a frame is orange around what is wrong, blue around what is right.

    Args:
        columns: At least one.
        title: Long ones are wrapped.
        legend: How to read a tile, one line below the title.
        remarks: What a person has to say of the whole, at the end.
    """
    with house_style():
        layout = _GalleryLayout(columns)
        heading = Title(title, layout.width)
        legend_lines = wrapped(legend, layout.width, size=TEXT)
        remark_lines = [
            line for remark in remarks for line in wrapped(remark, layout.width, size=TEXT)
        ]
        top = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        bottom = top + layout.height
        end = GAP * bool(remark_lines) + line_height(TEXT) * len(remark_lines)
        width = max(
            layout.width, heading.width, text_width([*legend_lines, *remark_lines], size=TEXT)
        )
        sheet = Sheet(width + 2 * PAD, bottom + end + PAD)
        heading.draw(sheet)
        _write(sheet, PAD, PAD + heading.height, legend_lines, colour=DIM)
        layout.draw(sheet, PAD, top)
        _write(sheet, PAD, bottom + GAP, remark_lines)
        return sheet.finished()


class _GalleryLayout:
    """Where all tiles are; width and height in pixels."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        pictures = max(
            (len(tile.pictures) for column in columns for tile in column.tiles), default=1
        )
        self._tile = pictures * (SIDE + 2 * FRAME) + (pictures - 1) * GAP
        self._aside = ASIDE[pictures > 1]
        self._widths = [self._width(column) for column in columns]
        self._headings = [
            wrapped(column.heading, width, size=TEXT)
            for column, width in zip(columns, self._widths, strict=True)
        ]
        self._rows = [
            _Row([tile for line in lines for tile in line], self._tile)
            for lines in zip_longest(*(column.rows() for column in columns), fillvalue=())
        ]
        self._top = line_height(TEXT) * max(map(len, self._headings)) + GAP
        self.width = sum(self._widths) + BETWEEN * (len(columns) - 1)
        rows = sum(row.height + BELOW for row in self._rows) - BELOW
        self.height = self._top + max(rows, line_height(TEXT))

    def _width(self, column: Column) -> int:
        across = min(column.across, max(1, len(column.tiles)))
        return across * (self._tile + self._aside) - self._aside

    def draw(self, sheet: Sheet, left: int, top: int) -> None:
        """Put everything on a sheet."""
        paper = sheet.blank()
        places: list[Place] = []
        writer = _Writer(sheet)
        x = left
        for column, heading, width in zip(self._columns, self._headings, self._widths, strict=True):
            _write(sheet, x, top, heading)
            y = top + self._top
            if not column.tiles:
                _write(sheet, x, y, ["none"], colour=DIM)
            for tiles, row in zip(column.rows(), self._rows, strict=False):
                for place, tile in enumerate(tiles):
                    at = x + place * (self._tile + self._aside)
                    places += row.draw(tile, paper, writer, at, y)
                y += row.height + BELOW
            x += width + BETWEEN
        sheet.underlay(paper, places)
        writer.finish()


class _Row:
    """Tiles beside each other: as high as the highest picture and the longest text."""

    def __init__(self, tiles: Sequence[Tile], width: int) -> None:
        sizes = [_size(picture) for tile in tiles for picture in tile.pictures]
        self._width = width
        self._pictures = max((height for _, height in sizes), default=0) + 2 * FRAME
        lines = max(len(_caption(tile, width)) for tile in tiles)
        self.height = self._pictures + GAP // 2 + line_height(SMALL) * lines

    def draw(self, tile: Tile, paper: Pixels, writer: "_Writer", x: int, y: int) -> list[Place]:
        """Draw a tile whose upper left corner is at `x`, `y`; return where its photos are."""
        places = []
        for number, picture in enumerate(tile.pictures):
            width, height = _size(picture)
            left = x + number * (SIDE + 2 * FRAME + GAP)
            upper = y + self._pictures - height - 2 * FRAME  # all stand on one line
            box = paper[upper : upper + height + 2 * FRAME, left : left + width + 2 * FRAME]
            box[:] = COLOURS[tile.correctness if number == 0 else "other"]
            inside = box[FRAME:-FRAME, FRAME:-FRAME]
            if isinstance(picture, str):
                inside[:] = PALE
                writer.reason(picture, left + FRAME, upper + FRAME)
            else:
                inside[:] = picture
                places.append((left, upper, left + width + 2 * FRAME, upper + height + 2 * FRAME))
        y += self._pictures + GAP // 2
        for text, dim in _caption(tile, self._width):
            writer.line(text, x, y, dim=dim)
            y += line_height(SMALL)
        return places


class _Writer:
    """Collects small texts, which then are one artist for each colour."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._texts: dict[str, list[tuple[str, float, float]]] = {INK: [], DIM: []}

    def line(self, text: str, x: int, y: int, *, dim: bool) -> None:
        """Write a line below its position."""
        if text.strip():
            self._texts[DIM if dim else INK].append((text, x, y + line_height(SMALL) / 2))

    def reason(self, text: str, x: int, y: int) -> None:
        """Write into the box of a picture that is not there."""
        lines = wrapped(text, EMPTY[0] - 2 * GAP, size=SMALL, measure=written_width)
        most = EMPTY[1] // line_height(SMALL) - 1
        if len(lines) > most:
            lines[most - 1 :] = ["…"]
        for number, line in enumerate(lines):
            self._texts[DIM].append((line, x + GAP, y + 2 * GAP + number * line_height(SMALL)))

    def finish(self) -> None:
        """Put the texts on the sheet."""
        for colour, texts in self._texts.items():
            if texts:
                words = [text for text, _, _ in texts]
                places = np.array([(x, y) for _, x, y in texts])
                Writing(
                    self._sheet.margins, words, places, size=SMALL, align="left", colours=colour
                )


def _size(picture: Picture) -> tuple[int, int]:
    """Return width and height of a picture, or of the box in its place."""
    return EMPTY if isinstance(picture, str) else (picture.shape[1], picture.shape[0])


def _caption(tile: Tile, width: int) -> list[tuple[str, bool]]:
    """Return the lines below the pictures of a tile, and whether they are dim."""
    texts = [(_shown(line), line.dim) for line in tile.lines] + [(tile.remark, False)]
    return [
        (written, dim)
        for text, dim in texts
        for written in wrapped(text, width, size=SMALL, measure=written_width)
    ]


def _shown(line: Line) -> str:
    return (shown_name(line.text, longest=LONGEST_LINE) if line.text else "") + line.tail


def _write(sheet: Sheet, x: int, y: int, lines: Iterable[str], *, colour: str = INK) -> None:
    for number, line in enumerate(lines):
        sheet.text(x, y + number * line_height(TEXT), line, color=colour)

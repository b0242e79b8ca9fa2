"""Single channels beside the image that they are of, in rows and columns with titles."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from matplotlib.figure import Figure

from errlens.figures.network.shades import Scale, ScaleBar
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

LEAST: Final = 150  # pixels a column is wide, for its texts
BETWEEN: Final = 14  # pixels between columns
BELOW: Final = 14  # pixels between rows


class Picture(NamedTuple):
    """Pixels with a caption below them; without pixels the place stays empty."""

    pixels: Pixels | None
    caption: str = ""


class Row(NamedTuple):
    """Pictures, one for each column, below what the row is of."""

    heading: str
    pictures: Sequence[Picture]


class Band(NamedTuple):
    """Titles of columns, and rows with as many pictures, at least one."""

    columns: Sequence[str]
    rows: Sequence[Row]


def draw_panels(
    bands: Sequence[Band],
    *,
    title: str,
    subtitle: str = "",
    scale: Scale | None = None,
) -> Figure:
    """Draw rows of pictures below the titles of their columns, band below band.

    Args:
        bands: At least one.
        title: Long ones are wrapped.
        subtitle: Below it, wrapped.
        scale: The scale that all pictures of activations share; None if they have their own.
    """
    with house_style():
        layouts = [_PanelLayout(*band) for band in bands]
        bar = ScaleBar(scale, layouts[0].first_height) if scale else None
        content = max(layout.width for layout in layouts)
        width = content + (2 * BETWEEN + bar.width if bar else 0)
        heading = Title(title, width)
        lines = wrapped(subtitle, max(width, heading.width), size=TEXT)
        width = max(width, heading.width, text_width(lines, size=TEXT))
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        height = sum(layout.height + BELOW for layout in layouts) - BELOW
        bar_height = layouts[0].first_top + bar.height if bar else 0
        sheet = Sheet(width + 2 * PAD, top + max(height, bar_height) + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            sheet.text(PAD, PAD + heading.height + number * line_height(TEXT), line, color=DIM)
        paper, places = sheet.blank(), []
        if bar:
            x = PAD + content + 2 * BETWEEN
            places.append(bar.draw(sheet, paper, x, top + layouts[0].first_top))
        for layout in layouts:
            places += layout.draw(sheet, paper, PAD, top)
            top += layout.height + BELOW
        sheet.underlay(paper, places)
        return sheet.finished()


class _PanelLayout:
    """Where all pictures are; width and height in pixels."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        shapes = [
            picture.pixels.shape
            for row in rows
            for picture in row.pictures
            if picture.pixels is not None
        ]
        self._column = max(LEAST, *(shape[1] for shape in shapes))
        self._titles = [wrapped(title, self._column, size=TEXT) for title in columns]
        self.width = len(columns) * (self._column + BETWEEN) - BETWEEN
        self._rows = [_PlannedRow(row, self._column, self.width) for row in rows]
        self._top = line_height(TEXT) * max(map(len, self._titles)) + GAP // 2
        self.first_top = self._top + self._rows[0].above
        self.first_height = self._rows[0].pictures
        self.height = self._top + sum(row.height + BELOW for row in self._rows) - BELOW

    def draw(self, sheet: Sheet, paper: Pixels, left: int, top: int) -> list[Place]:
        """Put everything on a sheet; return where the pictures are."""
        for at, title in enumerate(self._titles):
            x = left + at * (self._column + BETWEEN)
            for number, line in enumerate(title):
                sheet.text(x, top + number * line_height(TEXT), line, fontweight="bold")
        places: list[Place] = []
        y = top + self._top
        for row in self._rows:
            places += row.draw(sheet, paper, left, y)
            y += row.height + BELOW
        return places


class _PlannedRow:
    """A row as it is drawn: `above` pixels for its heading, `pictures` for the highest of these."""

    def __init__(self, row: Row, column: int, width: int) -> None:
        self._row, self._column = row, column
        self._heading = wrapped(row.heading, width, size=TEXT)
        self._captions = [wrapped(picture.caption, column, size=SMALL) for picture in row.pictures]
        self.above = line_height(TEXT) * len(self._heading) + 2
        self.pictures = max(
            (picture.pixels.shape[0] for picture in row.pictures if picture.pixels is not None),
            default=0,
        )
        below = max(map(len, self._captions)) * line_height(SMALL)
        self.height = self.above + self.pictures + 3 + below

    def draw(self, sheet: Sheet, paper: Pixels, left: int, top: int) -> list[Place]:
        """Draw it to the right of and below a position."""
        for number, line in enumerate(self._heading):
            sheet.text(left, top + number * line_height(TEXT), line, color=DIM)
        places: list[Place] = []
        y = top + self.above
        for at, (picture, caption) in enumerate(
            zip(self._row.pictures, self._captions, strict=True)
        ):
            x = left + at * (self._column + BETWEEN)
            if picture.pixels is not None:
                high, wide = picture.pixels.shape[:2]
                paper[y : y + high, x : x + wide] = picture.pixels
                places.append((x, y, x + wide, y + high))
            for number, line in enumerate(caption):
                below = y + self.pictures + 3 + number * line_height(SMALL)
                sheet.text(x, below, line, size=SMALL, color=DIM)
        return places

"""An image under a square that hides part of it: maps over its positions, beside the photo.

After figure 7 of M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
Networks", ECCV 2014.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.maps.bars import paste
from errlens.figures.maps.outline import edged
from errlens.figures.network.occlusion.panels import COLUMN, Legend, draw_tiles, write
from errlens.figures.network.occlusion.positions import (
    UNKNOWN,
    ValueScale,
    Write,
    cells,
    enlarged,
    number_cells,
    panel_size,
    placed_area,
)
from errlens.figures.paper.distinct import DISTINCT, OTHER
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    GAP,
    PAD,
    SMALL,
    TEXT,
    Pixels,
    Sheet,
    Title,
    house_style,
    line_height,
    wrapped,
)

ROW_GAP: Final = 14
OTHERS: Final = -1
NOT_FINITE: Final = -2
BOLD: Final = 1.15  # times as wide as plain letters


class ValueMap(NamedTuple):
    """Values by position, shape (rows, columns), and that of the image as it is.

    `write` writes them beside the bar.
    """

    heading: str
    detail: str
    values: NDArray[np.float32]
    unoccluded: float
    write: Write


class LabelMap(NamedTuple):
    """The most probable class by position: places in `names`, shape (rows, columns).

    Of other classes they are `OTHERS`, and `NOT_FINITE` where none can be said.

    `names` are at most as many as there are colours, with what to say of each; `others` says what
    is left.
    """

    heading: str
    detail: str
    classes: NDArray[np.int64]
    names: Sequence[str]
    others: str


class Tiles(NamedTuple):
    """Pictures of what a unit sees, that in the image itself first."""

    heading: str
    detail: str
    pictures: Sequence[Pixels]


class OcclusionFigure(NamedTuple):
    """All that is drawn of an image.

    `photo` is the image with the square, uint8 of shape (height, width, 3), and `square` its edges
    top, left, bottom, right in pixels of it. `object` are the shares of each pixel that lie on the
    object, shape (height, width). `crop` are the edges of what the first of the tiles shows;
    `notes` are written below the legend.
    """

    heading: str
    detail: str
    photo: Pixels
    square: Sequence[int]
    activity: ValueMap
    tiles: Tiles
    probability: ValueMap
    labels: LabelMap
    notes: Sequence[str] = ()
    object: NDArray[np.float32] | None = None
    crop: Sequence[int] | None = None


def draw_occlusion(image: OcclusionFigure, *, title: str, subtitle: str) -> Figure:
    """Draw two rows of panels: photo, activity, projections; probability, label, its legend.

    Args:
        image: What there is to draw.
        title: Long ones are wrapped.
        subtitle: Below it, wrapped.
    """
    with house_style():
        width = 3 * COLUMN
        heading = Title(title, width)
        lines = wrapped(subtitle, width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        panels = _Panels(image)
        sheet = Sheet(max(width, heading.width) + 2 * PAD, top + panels.height + PAD)
        heading.draw(sheet)
        write(sheet, PAD, PAD + heading.height, lines, size=TEXT)
        paper = sheet.blank()
        places = panels.draw(sheet, paper, PAD, top)
        sheet.underlay(paper, places)
        return sheet.finished()


class _Panels:
    """The five panels and the legend; `height` in pixels."""

    def __init__(self, image: OcclusionFigure) -> None:
        self._image = image
        self._size = panel_size(*image.photo.shape[:2])
        upper = [_Text(image.heading, image.detail), _text(image.activity), _text(image.tiles)]
        lower = [_text(image.probability), _text(image.labels), _Text("", "")]
        self._rows = [upper, lower]
        self._heights = [
            max(text.above for text in row) + self._size[0] + max(text.below for text in row)
            for row in self._rows
        ]
        self._legend = Legend(image.labels.names, image.labels.others, image.notes)
        legend = self._rows[1][2].above + self._legend.height
        self._heights[1] = max(self._heights[1], legend)
        self.height = sum(self._heights) + ROW_GAP
        inside = None if image.object is None else placed_area(image.object, self._size)
        self._inside = inside if inside is not None and inside.any() else None

    def draw(self, sheet: Sheet, paper: Pixels, left: int, top: int) -> list[Place]:
        """Put everything on a sheet; return where there are photos and colours."""
        image, size = self._image, self._size
        places: list[Place] = []
        corners = []
        for row, height in zip(self._rows, self._heights, strict=True):
            above = max(text.above for text in row)
            for column, text in enumerate(row):
                x = left + column * COLUMN
                text.draw(sheet, x, top, above, size[0])
                corners.append((x, top + above))
            top += height + ROW_GAP
        photo, activity, tiles, chance, labels, legend = corners
        places.append(paste(paper, self._photo(), *photo))
        dashed = _area(image.crop, image.photo.shape[:2], size)
        places += self._values(sheet, paper, activity, image.activity, dashed)
        places += draw_tiles(paper, image.tiles.pictures, tiles, size)
        places += self._values(sheet, paper, chance, image.probability, None)
        places.append(paste(paper, self._outlined(self._labels()), *labels))
        number_cells(sheet, image.labels.classes, DISTINCT, labels, size)
        return places + self._legend.draw(sheet, paper, *legend)

    def _photo(self) -> Pixels:
        """Return the photo with the square, framed, and the outline of the object."""
        image = self._image
        shown = self._outlined(enlarged(image.photo, self._size))
        square = _area(image.square, image.photo.shape[:2], self._size)
        return shown if square is None else edged(shown, square)

    def _values(
        self,
        sheet: Sheet,
        paper: Pixels,
        corner: tuple[int, int],
        shown: ValueMap,
        dashed: NDArray[np.bool_] | None,
    ) -> list[Place]:
        scale = ValueScale(shown.values, shown.unoccluded)
        picture = self._outlined(cells(scale.colours(shown.values), self._size))
        if dashed is not None:
            picture = edged(picture, dashed, dashed=True)
        x, y = corner
        bar = x + self._size[1] + GAP
        return [
            paste(paper, picture, x, y),
            scale.draw(sheet, paper, bar, y, self._size[0], shown.write),
        ]

    def _labels(self) -> Pixels:
        table = np.array([*DISTINCT[: len(self._image.labels.names)], UNKNOWN, OTHER], np.uint8)
        return cells(table[self._image.labels.classes], self._size)

    def _outlined(self, picture: Pixels) -> Pixels:
        return picture if self._inside is None else edged(picture, self._inside)


class _Text:
    """A heading above a panel and details below it, in lines; `above` and `below` in pixels."""

    def __init__(self, heading: str, detail: str) -> None:
        room = COLUMN - 2 * GAP
        self._heading = wrapped(heading, round(room / BOLD), size=TEXT)
        self._detail = wrapped(detail, room, size=SMALL)
        self.above = line_height(TEXT) * len(self._heading) + GAP // 2
        self.below = line_height(SMALL) * len(self._detail) + GAP // 2

    def draw(self, sheet: Sheet, x: int, top: int, above: int, panel: int) -> None:
        """Write the heading so that it ends above the panel, and the details below it."""
        first = top + above - self.above
        write(sheet, x, first, self._heading, size=TEXT, fontweight="bold", color="0.15")
        write(sheet, x, top + above + panel + GAP // 2, self._detail, size=SMALL)


def _text(panel: ValueMap | LabelMap | Tiles) -> _Text:
    return _Text(panel.heading, panel.detail)


def _area(
    edges: Sequence[int] | None, shape: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """Return the pixels of a panel between edges in pixels of the input; None if that is all."""
    if edges is None:
        return None
    down, across = size[0] / shape[0], size[1] / shape[1]
    top, left, bottom, right = edges
    area = np.zeros(size, bool)
    rows = slice(max(0, round(top * down)), max(0, round(bottom * down)))
    area[rows, max(0, round(left * across)) : max(0, round(right * across))] = True
    return None if area.all() else area

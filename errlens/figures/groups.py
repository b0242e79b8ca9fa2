"""A page of small confusion matrices: groups of classes that are confused with each other."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.cells import (
    IMAGES,
    NAME_GAP,
    Values,
    cell_texts,
    largest_error,
    name_cells,
    paint_cells,
)
from errlens.figures.key import Key, linear_scale
from errlens.figures.letters import shown_name, shown_names
from errlens.figures.packing import Spot, pack
from errlens.figures.sheet import (
    GAP,
    PAD,
    SMALL,
    TEXT,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
)
from errlens.figures.writing import written_width

LONGEST_NAME: Final = 30  # letters
LONGEST_TITLE: Final = 48
LEAST_CELL: Final = 22  # pixels
HEADING: Final = 22  # pixels from the title of a group to its matrix
HOW_TO_READ: Final = "rows: true class, columns: predicted class"


class Group(NamedTuple):
    """Classes and what is confused among them: `counts`, rows true, shape (k, k)."""

    title: str
    names: tuple[str, ...]
    counts: NDArray[np.integer] | NDArray[np.floating]


def draw_groups(groups: Sequence[Group], *, title: str) -> Figure:
    """Draw a page of annotated matrices of images, all on one scale of colours.

    They stand in columns, more or less in their order. Numbers and names are as in `draw_matrix`.

    Args:
        groups: Of 2 to about 40 classes each, about a dozen of them.
        title: May have several lines; long ones are wrapped.
    """
    with house_style():
        tiles = [Tile(group) for group in groups]
        spots, width, height = pack([tile.size for tile in tiles])
        darkest = max((largest_error(tile.values) for tile in tiles), default=0.0)
        has_gaps = any(bool(np.isnan(tile.values).any()) for tile in tiles)
        key = Key(linear_scale(darkest, unit=IMAGES), room=height, gaps=has_gaps)
        content = max(width + 2 * GAP + key.width, text_width([HOW_TO_READ], size=TEXT))
        heading = Title(title, content)
        top = PAD + heading.height + line_height(TEXT) + 2 * GAP
        page = max(content, heading.width) + 2 * PAD
        sheet = Sheet(page, top + max(height, key.height) + PAD)
        heading.draw(sheet)
        sheet.text(PAD, PAD + heading.height, HOW_TO_READ, color="0.4")
        for tile, spot in zip(tiles, spots, strict=True):
            tile.draw(sheet, Spot(PAD + spot.x, top + spot.y), darkest=darkest)
        key.draw(sheet, PAD + width + 2 * GAP, top + HEADING)
        return sheet.finished()


class Tile:
    """A group's matrix with its names and title; `size` is width and height in pixels."""

    def __init__(self, group: Group) -> None:
        self.values: Values = np.asarray(group.counts, np.float64)
        self._names = shown_names(group.names, longest=LONGEST_NAME)
        self._title = shown_name(group.title, longest=LONGEST_TITLE)
        self._texts = cell_texts(self.values, unit=IMAGES)
        number = written_width(self._texts.ravel(), size=SMALL)
        widest = written_width(self._names, size=SMALL)
        cell = max(LEAST_CELL, number + 6)
        self._side = cell * len(self._names)
        self._upright = widest > cell - 6
        below = widest if self._upright else line_height(SMALL)
        self._left = widest + NAME_GAP
        # The title begins where the names do, so that columns of tiles have one left edge.
        width = max(self._left + self._side, text_width([self._title], size=TEXT))
        self.size = (width, HEADING + self._side + NAME_GAP + below)

    def draw(self, sheet: Sheet, spot: Spot, *, darkest: float) -> None:
        """Draw it with its upper left corner at a spot of a sheet."""
        sheet.text(spot.x, spot.y, self._title)
        axes = sheet.axes(spot.x + self._left, spot.y + HEADING, self._side, self._side)
        paint_cells(axes, self.values, darkest=darkest, texts=self._texts, size=SMALL)
        name_cells(axes, self._names, size=SMALL, upright=self._upright)

"""A page of small confusion matrices: groups of classes that are confused with each other."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.matrix.cells import (
    ERRORS,
    IMAGES,
    NAME_GAP,
    Matrix,
    Values,
    cell_texts,
    coloured,
    finish_cells,
    largest_error,
)
from errlens.figures.matrix.key import Key, linear_scale
from errlens.figures.matrix.marks import Mark, kinds_of
from errlens.figures.paper.letters import shown_name, shown_names
from errlens.figures.paper.packing import Spot, pack
from errlens.figures.paper.sheet import (
    DIM,
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
from errlens.figures.paper.writing import Writing, written_width

LONGEST_NAME: Final = 30  # letters
LONGEST_TITLE: Final = 48
LEAST_CELL: Final = 22  # pixels
HEADING: Final = 22  # pixels from the top of a group to its matrix
TITLE_DOWN: Final = 7  # pixels from there to the middle of its title
HOW_TO_READ: Final = "rows: true class, columns: predicted class"


class Group(NamedTuple):
    """Classes and what is confused among them: `counts`, rows true, shape (k, k)."""

    title: str
    names: tuple[str, ...]
    counts: NDArray[np.integer] | NDArray[np.floating]
    marks: Sequence[Mark] = ()


def draw_groups(groups: Sequence[Group], *, title: str) -> Figure:
    """Draw a page of annotated matrices of images, all on one scale of colours.

    They stand in columns, more or less in their order. Numbers and names are as in `draw_matrix`.

    Args:
        groups: Of 2 to about 40 classes each, about a dozen of them.
        title: May have several lines; long ones are wrapped.
    """
    with house_style():
        layouts = [GroupLayout(group) for group in groups]
        spots, width, height = pack([layout.size for layout in layouts])
        darkest = max((largest_error(layout.values) for layout in layouts), default=0.0)
        has_gaps = any(bool(np.isnan(layout.values).any()) for layout in layouts)
        marks = kinds_of([mark for group in groups for mark in group.marks])
        key = Key(linear_scale(darkest, unit=IMAGES), room=height, gaps=has_gaps, marks=marks)
        content = max(width + 2 * GAP + key.width, text_width([HOW_TO_READ], size=TEXT))
        heading = Title(title, content)
        top = PAD + heading.height + line_height(TEXT) + 2 * GAP
        page = max(content, heading.width) + 2 * PAD
        sheet = Sheet(page, top + max(height, key.height) + PAD)
        heading.draw(sheet)
        sheet.text(PAD, PAD + heading.height, HOW_TO_READ, color=DIM)
        placed = [Spot(PAD + spot.x, top + spot.y) for spot in spots]
        matrices = [layout.matrix(spot) for layout, spot in zip(layouts, placed, strict=True)]
        _paint(sheet, matrices, darkest=darkest)
        # On the margins: axes of their own would take most of the time.
        finish_cells(sheet.margins, matrices, darkest=darkest, names=SMALL, numbers=SMALL)
        titles, at = [layout.title for layout in layouts], [(x, y + TITLE_DOWN) for x, y in placed]
        Writing(sheet.margins, titles, np.array(at), size=TEXT, align="left")
        key.draw(sheet, PAD + width + 2 * GAP, top + HEADING)
        return sheet.finished()


class GroupLayout:
    """Where the parts of a group's matrix are; `size` is its width and height in pixels."""

    def __init__(self, group: Group) -> None:
        self.values: Values = np.asarray(group.counts, np.float64)
        self._marks = group.marks
        self._names = shown_names(group.names, longest=LONGEST_NAME)
        self.title = shown_name(group.title, longest=LONGEST_TITLE)
        self._texts = cell_texts(self.values, unit=IMAGES)
        number = written_width(self._texts.ravel(), size=SMALL)
        widest = written_width(self._names, size=SMALL)
        cell = max(LEAST_CELL, number + 6)
        self._side = cell * len(self._names)
        self._upright = widest > cell - 6
        below = widest if self._upright else line_height(SMALL)
        self._left = widest + NAME_GAP
        # The title begins where the names do, so that columns of groups have one left edge.
        width = max(self._left + self._side, written_width([self.title], size=TEXT))
        self.size = (width, HEADING + self._side + NAME_GAP + below)

    def matrix(self, spot: Spot) -> Matrix:
        """Return the matrix of a group whose upper left corner is at a spot."""
        x, y = spot.x + self._left, spot.y + HEADING
        cell = self._side / len(self._names)
        return Matrix(self.values, self._texts, self._names, self._upright, x, y, cell, self._marks)


def _paint(sheet: Sheet, matrices: Sequence[Matrix], *, darkest: float) -> None:
    """Colour the cells of all matrices."""
    squares, values = [np.empty((0, 4, 2))], [np.empty(0)]
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    for matrix in matrices:
        drawn = coloured(matrix.values)
        row, column = np.nonzero(~np.ma.getmaskarray(drawn))
        squares.append(matrix.at(column, row)[:, None, :] + matrix.cell * corners)
        values.append(drawn.data[row, column])
    cells = PolyCollection(
        list(np.concatenate(squares)), array=np.concatenate(values), cmap=ERRORS, antialiased=False
    )
    cells.set_clim(0.0, darkest or 1.0)
    sheet.margins.add_collection(cells, autolim=False)

"""Pictures of a whole confusion matrix, with the names of its classes."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from errlens.figures.matrix.cells import (
    ERRORS,
    MOST_ANNOTATED,
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
from errlens.figures.matrix.spans import Brackets, Span, borders
from errlens.figures.paper.letters import shown_names
from errlens.figures.paper.sheet import (
    GAP,
    PAD,
    SMALL,
    TEXT,
    Sheet,
    Title,
    house_style,
    line_height,
    name_pitch,
)
from errlens.figures.paper.writing import written_width

SIDE: Final = 700  # pixels a matrix takes if its numbers and names have room in it
LARGEST_CELL: Final = 90  # pixels
BORDER: Final = "0.35"


class CellSizes(NamedTuple):
    """The sizes of a matrix: of its cells in pixels, of its texts in points."""

    cell: int
    names: float
    numbers: float


def draw_matrix(
    values: Values,
    names: Sequence[str],
    *,
    title: str,
    unit: str,
    spans: Sequence[Span] = (),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw a confusion matrix of 1 to 200 classes.

    Correct predictions are grey, errors coloured from 0 to the largest one. Up to 60 classes each
    cell but those of 0 has its number, shares in percent.

    Args:
        values: Rows true, columns predicted, shape (k, k): counts, or anything between 0 and 1.
            Rows or columns of NaN are hatched.
        names: Of the classes, in their order in the matrix.
        title: May have several lines; long ones are wrapped.
        unit: "images" for counts; else what it is a share of, as "share of the true class".
        spans: Superclasses, told apart by lines through the matrix.
        marks: Cells to be outlined, with what that means.
    """
    with house_style():
        is_annotated = len(values) <= MOST_ANNOTATED
        texts = cell_texts(values, unit=unit) if is_annotated else None
        shown = shown_names(names)
        sizes = _cell_sizes(shown, texts)
        key = Key(
            linear_scale(largest_error(values), unit=unit),
            room=sizes.cell * len(values),
            gaps=bool(np.isnan(values).any()),
            marks=kinds_of(marks),
        )
        layout = MatrixLayout(shown, sizes, key, title, Brackets(spans, cell=sizes.cell))
        sheet = Sheet(*layout.size)
        axes = sheet.axes(layout.left, layout.top, layout.side, layout.side)
        darkest = largest_error(values)
        _paint(axes, values, darkest=darkest)
        matrix = Matrix(values, texts, shown, layout.upright, marks=marks)
        finish_cells(axes, [matrix], darkest=darkest, names=sizes.names, numbers=sizes.numbers)
        edges = LineCollection(borders(spans, len(values)), colors=BORDER, linewidths=0.7)
        axes.add_collection(edges, autolim=False)
        layout.draw_margins(sheet)
        return sheet.finished()


def _paint(axes: Axes, values: Values, *, darkest: float) -> None:
    """Colour the cells."""
    import seaborn  # a second

    drawn = coloured(values)
    seaborn.heatmap(
        drawn.data,
        mask=drawn.mask,
        cmap=ERRORS,
        vmin=0.0,
        vmax=darkest or 1.0,
        cbar=False,
        # seaborn would render the figure to see if names overlap.
        xticklabels=False,
        yticklabels=False,
        ax=axes,
    )


def _cell_sizes(names: Sequence[str], texts: np.ndarray | None) -> CellSizes:
    """Return how large cells must be for their numbers and names."""
    k = len(names)
    size = TEXT if k <= MOST_ANNOTATED else SMALL
    numbers = TEXT if k <= 30 else SMALL
    least = 0 if texts is None else written_width(texts.ravel(), size=numbers) + 6
    least = max(least, name_pitch(size))
    return CellSizes(max(least, min(SIDE // k, LARGEST_CELL)), size, numbers)


class MatrixLayout:
    """Where the parts of the picture are, in pixels from the upper left corner."""

    def __init__(
        self, names: Sequence[str], sizes: CellSizes, key: Key, title: str, brackets: Brackets
    ) -> None:
        self._key, self._brackets = key, brackets
        self.side = sizes.cell * len(names)
        widest = written_width(names, size=sizes.names)
        self.upright = widest > sizes.cell - 6
        below = widest if self.upright else line_height(sizes.names)
        label = line_height(TEXT)
        self.left = PAD + label + GAP + widest + NAME_GAP
        self.right = self.left + self.side + 2 * GAP + brackets.beside
        content = self.right + key.width - PAD
        self._title = Title(title, content)
        self.top = PAD + self._title.height + GAP + brackets.above
        # Long names below leave the corner to the key, so it need not fit beside the matrix.
        self.bottom = self.top + self.side + NAME_GAP + below + GAP // 2 + label
        height = max(self.bottom, self.top + key.height) + PAD
        self.size = (max(content, self._title.width) + 2 * PAD, height)

    def draw_margins(self, sheet: Sheet) -> None:
        """Draw all that is around the matrix but the names of its classes."""
        self._title.draw(sheet)
        across, down = self.left + self.side / 2, self.top + self.side / 2
        sheet.text(PAD, down, "true", rotation=90, va="center")
        sheet.text(across, self.bottom, "predicted", ha="center", va="bottom")
        self._brackets.draw_beside(sheet, self.left + self.side, self.top)
        self._brackets.draw_above(sheet, self.left, self.top)
        self._key.draw(sheet, self.right, self.top)

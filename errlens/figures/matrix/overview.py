"""A picture of a confusion matrix of so many classes that a cell is a pixel."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from errlens.figures.matrix.cells import FRAME
from errlens.figures.matrix.key import Key, Scale, log_scale
from errlens.figures.matrix.spans import Brackets, Span
from errlens.figures.paper.sheet import (
    GAP,
    PAD,
    TEXT,
    Sheet,
    Title,
    house_style,
    line_height,
)
from errlens.formats import counted

DIAGONAL: Final = "#a6a6a6"  # darker than in larger cells: it is a hairline
WHITE: Final = 255

Counts = NDArray[np.integer] | NDArray[np.floating]


def draw_overview(counts: Counts, *, title: str, spans: Sequence[Span] = ()) -> Figure:
    """Draw a confusion matrix of some 200 to 4,000 classes, one pixel per cell at its own dpi.

    Correct predictions are grey, errors coloured on a logarithmic scale from 1, none are white.

    Args:
        counts: Images, rows true, columns predicted, shape (k, k).
        title: May have several lines; long ones are wrapped.
        spans: Superclasses, named in the margins where there is room for it.
    """
    with house_style():
        side = len(counts)
        off_diagonal = counts * ~np.eye(side, dtype=bool)
        scale = log_scale(float(off_diagonal.max(initial=0)))
        key = Key(scale, room=side, gaps=False, grey=DIAGONAL)
        brackets = Brackets(spans, cell=1)
        left = PAD + line_height(TEXT) + GAP
        right = left + side + 2 * GAP + brackets.beside
        content = right + key.width - PAD
        heading = Title(title, content)
        top = PAD + heading.height + GAP + brackets.above
        bottom = top + max(side + GAP + line_height(TEXT), key.height)
        sheet = Sheet(max(content, heading.width) + 2 * PAD, bottom + PAD)
        sheet.figure.figimage(
            pixels(off_diagonal, scale), left, sheet.height - top - side, origin="upper"
        )
        _draw_frame(sheet, left, top, side)
        heading.draw(sheet)
        label = counted(side, "class")
        sheet.text(PAD, top + side / 2, f"true, {label}", rotation=90, va="center")
        sheet.text(left + side / 2, top + side + GAP, f"predicted, {label}", ha="center")
        brackets.draw_beside(sheet, left + side, top)
        brackets.draw_above(sheet, left, top)
        key.draw(sheet, right, top)
        return sheet.finished()


def pixels(errors: Counts, scale: Scale | None) -> NDArray[np.uint8]:
    """Return the colours of a matrix whose diagonal is 0, shape (k, k, 4)."""
    image = np.full((*errors.shape, 4), WHITE, np.uint8)
    if scale is not None:
        is_error = errors > 0
        image[is_error] = scale.colours(scale.norm(errors[is_error]), bytes=True)
    diagonal = np.arange(len(errors))
    image[diagonal, diagonal, :3] = [round(WHITE * part) for part in to_rgb(DIAGONAL)]
    return image


def _draw_frame(sheet: Sheet, left: int, top: int, side: int) -> None:
    """Draw a frame of one pixel: a sheet that the matrix is laid on."""
    frame = Rectangle((left - 1, top - 1), side + 2, side + 2, facecolor=FRAME, linewidth=0)
    sheet.margins.add_patch(frame)

"""The cells of a confusion matrix: grey on the diagonal, coloured errors, hatched where unknown."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from errlens.figures.matrix.marks import COLOUR as MARKED
from errlens.figures.matrix.marks import OUTLINES, Mark
from errlens.figures.paper.sheet import FAINT, INK, to_pixels
from errlens.figures.paper.writing import Writing
from errlens.formats import cell_share

Values = NDArray[np.float64]

IMAGES: Final = "images"  # the unit of counts; anything else is a share of 1, shown in percent
GREY: Final = "#d5d5d5"
EDGE: Final = "#a8a8a8"
UNKNOWN: Final = {"facecolor": "white", "edgecolor": EDGE, "hatch": "/////"}
FRAME: Final = "0.6"
TINY: Final = "<.1"  # percent
MUTED: Final = "0.45"  # mean probabilities are that small nearly everywhere
LIGHT: Final = 0.22  # luminance from which dark numbers are read better than white ones
NAME_GAP: Final = 8  # pixels from a matrix to a name
MARK_INSET: Final = 1.5  # pixels from the edge of a cell to the middle of its outline
RIM: Final = 0.7  # points, so that an outline is seen on any colour
MOST_ANNOTATED: Final = 60  # classes

_NOWHERE: Final = np.empty((0, 2))  # what positions begin with, so that there may be none

# Along seaborn's rocket, whose lightness falls evenly and which the colour-blind can read. Written
# out, since importing seaborn takes a second that pictures without a heat map can do without.
ROCKET: Final = (
    "#faebdd", "#f7ccaf", "#f6ab83", "#f4865e", "#f06043", "#e33641", "#ca1a50", "#a8185a",
    "#821e5a", "#601f52", "#3d1a42", "#1e122d",
)  # fmt: skip


def _colours(low: float, high: float) -> LinearSegmentedColormap:
    """Return a stretch of the colours."""
    rocket = LinearSegmentedColormap.from_list("rocket", ROCKET)
    return LinearSegmentedColormap.from_list("errors", rocket(np.linspace(low, high, 64)))


# Neither ends in black: a dark cell is still a colour. What is below the scale is the diagonal.
ERRORS: Final = _colours(0.0, 0.92).with_extremes(under=GREY)
LOG_ERRORS: Final = _colours(0.27, 0.98)  # a single pixel of one image is seen on white


class Matrix(NamedTuple):
    """What is drawn of a matrix, and where: its upper left corner in the units of an axes.

    `values` are rows true, columns predicted, shape (k, k), NaN where nothing is known; `texts`,
    of the same shape, are written into the cells. The names below are `upright` or level. Cells
    with a mark are outlined.
    """

    values: Values
    texts: NDArray[np.object_] | None
    names: Sequence[str]
    upright: bool
    x: float = 0.0
    y: float = 0.0
    cell: float = 1.0
    marks: Sequence[Mark] = ()

    def at(self, columns: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return positions in the axes, shape (n, 2), of positions in cells."""
        return np.column_stack([self.x + self.cell * columns, self.y + self.cell * rows])


def errors_of(values: Values) -> Values:
    """Return the values off the diagonal, shape (k, k - 1); NaN where nothing is known.

    >>> errors_of(np.array([[5.0, 1.0], [0.0, 7.0]])).tolist()
    [[1.0], [0.0]]
    """
    k = len(values)
    return values[~np.eye(k, dtype=bool)].reshape(k, k - 1)


def largest_error(values: Values) -> float:
    """Return the largest value off the diagonal; 0 if there is none."""
    return float(np.nanmax(errors_of(values), initial=0.0))


def cell_texts(values: Values, *, unit: str) -> NDArray[np.object_]:
    """Return the numbers to be written into cells, shape as `values`; "" for zero and NaN.

    >>> cell_texts(np.array([0, 0.0004, 0.002, 0.08, 0.999, 1]), unit="share").tolist()
    ['', '<.1', '.2', '8', '99.9', '100']
    """
    as_text = _count if unit == IMAGES else cell_share
    distinct, place = np.unique(values, return_inverse=True)
    texts = np.array(
        [as_text(value) if value == value else "" for value in distinct.tolist()], object
    )
    return texts[place].reshape(values.shape)


def coloured(values: Values) -> np.ma.MaskedArray[Any, Any]:
    """Return what colours a mesh: the diagonal below the scale, zeros and unknown cells masked."""
    known = ~np.isnan(values)
    drawn = np.where(np.eye(len(values), dtype=bool) & known, -1.0, values)
    return np.ma.masked_where(~known | (drawn == 0), drawn)


def finish_cells(
    axes: Axes, matrices: Sequence[Matrix], *, darkest: float, names: float, numbers: float
) -> None:
    """Draw all but the colours: grid, frame and hatching, marks, numbers and names.

    Each kind is one artist for all the matrices of an axes: artists are what takes time.

    Args:
        axes: Whose units are cells, or pixels, downwards.
        matrices: Their `cell` says how many of these units it takes.
        darkest: The value of the darkest colour.
        names: The size of the names, in points.
        numbers: The size of the numbers, in points.
    """
    _draw_grids(axes, matrices)
    _hatch(axes, matrices)
    _draw_marks(axes, matrices)
    _write_numbers(axes, matrices, darkest=darkest, size=numbers)
    _write_names(axes, matrices, size=names)


def luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative luminance of colours, shape (n, 4), 0 to 1.

    Web Content Accessibility Guidelines 2.1.

    >>> luminance(np.array([[1.0, 1, 1, 1], [0, 0, 0, 1]])).round(6).tolist()
    [1.0, 0.0]
    """
    rgb = colours[:, :3]
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def _draw_grids(axes: Axes, matrices: Sequence[Matrix]) -> None:
    """Draw lines between the cells, below them so that no colour is touched, and frames."""
    lines, frames = [], []
    for matrix in matrices:
        k = len(matrix.values)
        inner = np.arange(1, k)
        first, last = np.zeros(k - 1), np.full(k - 1, k)
        starts = np.concatenate([matrix.at(first, inner), matrix.at(inner, first)])
        stops = np.concatenate([matrix.at(last, inner), matrix.at(inner, last)])
        lines += list(np.stack([starts, stops], axis=1))
        corners = np.array([0, k, k, 0, 0]), np.array([0, 0, k, k, 0])
        frames.append(matrix.at(*corners))
    grid = LineCollection(lines, colors=FAINT, linewidths=0.5, zorder=0.5)
    frame = LineCollection(frames, colors=FRAME, linewidths=0.6, zorder=2.5, clip_on=False)
    for collection in (grid, frame):
        axes.add_collection(collection, autolim=False)


def _hatch(axes: Axes, matrices: Sequence[Matrix]) -> None:
    """Hatch the cells of which nothing is known, those side by side as one."""
    strips = []
    for matrix in matrices:
        unknown = np.isnan(matrix.values).astype(np.int8)
        step = np.diff(unknown, axis=1, prepend=0, append=0)
        (rows, starts), (_, stops) = np.nonzero(step == 1), np.nonzero(step == -1)
        strips += [
            Rectangle((x, y), matrix.cell * width, matrix.cell)
            for (x, y), width in zip(
                matrix.at(starts, rows).tolist(), (stops - starts).tolist(), strict=True
            )
        ]
    if strips:
        looks: dict[str, Any] = {**UNKNOWN, "linewidth": 0}
        axes.add_collection(PatchCollection(strips, **looks), autolim=False)


def _draw_marks(axes: Axes, matrices: Sequence[Matrix]) -> None:
    """Outline the cells that have a mark, inside of them, so that neighbours have their own."""
    inset = MARK_INSET * _pixel(axes)
    for kind, outline in OUTLINES.items():
        squares = []
        for matrix in matrices:
            near = min(inset / matrix.cell, 0.1)
            far = 1 - near
            corners = np.array([(near, near), (far, near), (far, far), (near, far), (near, near)])
            squares += [
                matrix.at(mark.column + corners[:, 0], mark.row + corners[:, 1])
                for mark in matrix.marks
                if mark.kind == kind
            ]
        if squares:
            rim = LineCollection(
                squares, colors="white", linewidths=outline.width + RIM, zorder=2.8
            )
            looks = {"linewidths": outline.width, "linestyles": [outline.style], "gid": kind}
            line = LineCollection(squares, colors=MARKED, zorder=2.9, **looks)
            for collection in (rim, line):
                axes.add_collection(collection, autolim=False)


def _write_numbers(axes: Axes, matrices: Sequence[Matrix], *, darkest: float, size: float) -> None:
    """Write the texts of the cells, in colours that can be read there."""
    texts: list[str] = []
    places, colours = [_NOWHERE], [np.empty(0, "U4")]
    for matrix in matrices:
        if matrix.texts is None:
            continue
        row, column = np.nonzero(matrix.texts)
        written = matrix.texts[row, column]
        shade = ERRORS(coloured(matrix.values).data[row, column] / (darkest or 1.0))
        dark_ink = np.where(written == TINY, MUTED, INK)
        texts += written.tolist()
        places.append(matrix.at(column + 0.5, row + 0.5))
        colours.append(np.where(luminance(shade) > LIGHT, dark_ink, "1.0"))
    if texts:
        Writing(axes, texts, np.concatenate(places), size=size, colours=np.concatenate(colours))


def _write_names(axes: Axes, matrices: Sequence[Matrix], *, size: float) -> None:
    """Write the names of the classes to the left of the rows and below the columns."""
    pixel = _pixel(axes)
    gap = NAME_GAP * pixel
    below = {True: gap, False: gap + to_pixels(size) / 2 * pixel}
    names = [name for matrix in matrices for name in matrix.names]
    middles = [np.arange(len(matrix.names)) + 0.5 for matrix in matrices]
    rows = [
        matrix.at(np.full(len(middle), -gap / matrix.cell), middle)
        for matrix, middle in zip(matrices, middles, strict=True)
    ]
    Writing(axes, names, np.concatenate([_NOWHERE, *rows]), size=size, align="right")
    for upright in (True, False):
        chosen = [
            pair for pair in zip(matrices, middles, strict=True) if pair[0].upright == upright
        ]
        columns = [
            matrix.at(middle, len(middle) + np.full(len(middle), below[upright] / matrix.cell))
            for matrix, middle in chosen
        ]
        if columns:
            Writing(
                axes,
                [name for matrix, _ in chosen for name in matrix.names],
                np.concatenate(columns),
                size=size,
                align="right" if upright else "center",
                upright=upright,
            )


def _pixel(axes: Axes) -> float:
    """Return how long a pixel is in the units of an axes."""
    low, high = axes.get_ylim()
    return float(abs(high - low) / axes.bbox.height)


def _count(n: float) -> str:
    """Write a count, or a mean of counts, into a cell of a matrix; nothing for zero.

    >>> _count(0), _count(12), _count(2.5)
    ('', '12', '2.5')
    """
    if n == 0:
        return ""
    return f"{n:.0f}" if float(n).is_integer() else f"{n:.3g}"

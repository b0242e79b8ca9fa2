"""The cells of a confusion matrix: grey on the diagonal, coloured errors, hatched where unknown."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from seaborn.utils import relative_luminance

from errlens.figures.sheet import FAINT, INK, to_pixels
from errlens.figures.writing import Writing

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
MOST_ANNOTATED: Final = 60  # classes


def _colours(low: float, high: float) -> LinearSegmentedColormap:
    """Return a stretch of seaborn's rocket, whose lightness falls evenly from peach to black."""
    rocket = seaborn.color_palette("rocket_r", as_cmap=True)
    return LinearSegmentedColormap.from_list("errors", rocket(np.linspace(low, high, 64)))


# Neither ends in black: a dark cell is still a colour. What is below the scale is the diagonal.
ERRORS: Final = _colours(0.0, 0.85).with_extremes(under=GREY)
LOG_ERRORS: Final = _colours(0.25, 0.9)  # a single pixel of one image is seen on white


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
    ['', '<.1', '.2', '8', '>99', '100']
    """
    as_text = _count_text if unit == IMAGES else _percent_text
    distinct, place = np.unique(values, return_inverse=True)
    texts = np.array([as_text(one) if one == one else "" for one in distinct.tolist()], object)
    return texts[place].reshape(values.shape)


def paint_cells(
    axes: Axes, values: Values, *, darkest: float, texts: NDArray[np.object_] | None, size: float
) -> None:
    """Draw a matrix.

    Args:
        axes: Of its size.
        values: Rows true, columns predicted, shape (k, k); NaN where nothing is known.
        darkest: The value of the darkest colour.
        texts: What to write into the cells, shape (k, k).
        size: Of these texts, in points.
    """
    is_diagonal = np.eye(len(values), dtype=bool)
    # Below the scale is grey, so that one mesh does for both.
    drawn = np.where(is_diagonal & ~np.isnan(values), -1.0, values)
    top = darkest or 1.0
    seaborn.heatmap(
        drawn,
        mask=np.isnan(drawn) | (drawn == 0),
        cmap=ERRORS,
        vmin=0.0,
        vmax=top,
        cbar=False,
        # Names are set by `name_cells`: seaborn would render the figure to see if they overlap.
        xticklabels=False,
        yticklabels=False,
        ax=axes,
    )
    _draw_grid(axes, len(values))
    _hatch(axes, np.isnan(values))
    if texts is not None:
        row, column = np.nonzero(texts)
        light = np.atleast_1d(relative_luminance(ERRORS(drawn[row, column] / top))) > LIGHT
        Writing(
            axes,
            texts[row, column].tolist(),
            np.column_stack([column, row]) + 0.5,
            size=size,
            colours=np.where(light, np.where(texts[row, column] == TINY, MUTED, INK), "1.0"),
        )


def name_cells(axes: Axes, names: Sequence[str], *, size: float, upright: bool) -> None:
    """Write the names of the classes to the left of the rows and below the columns."""
    k = len(names)
    cell = axes.bbox.height / k  # pixels
    left, below = NAME_GAP / cell, (NAME_GAP + (0 if upright else to_pixels(size) / 2)) / cell
    centres = np.arange(k) + 0.5
    rows = np.column_stack([np.full(k, -left), centres])
    columns = np.column_stack([centres, np.full(k, k + below)])
    Writing(axes, names, rows, size=size, align="right")
    align = "right" if upright else "center"
    Writing(axes, names, columns, size=size, align=align, upright=upright)


def _draw_grid(axes: Axes, k: int) -> None:
    """Draw lines between the cells, below them so that no colour is touched, and a frame."""
    inner = range(1, k)
    rows = [((0, edge), (k, edge)) for edge in inner]
    columns = [((edge, 0), (edge, k)) for edge in inner]
    grid = LineCollection([*rows, *columns], colors=FAINT, linewidths=0.5, zorder=0.5)
    axes.add_collection(grid, autolim=False)
    axes.spines[:].set(visible=True, color=FRAME, linewidth=0.6)


def _hatch(axes: Axes, unknown: NDArray[np.bool_]) -> None:
    """Hatch the cells of which nothing is known, those side by side as one."""
    step = np.diff(unknown.astype(np.int8), axis=1, prepend=0, append=0)
    starts, stops = np.argwhere(step == 1), np.argwhere(step == -1)
    strips = [
        Rectangle((start, row), stop - start, 1)
        for (row, start), (_, stop) in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    if strips:
        looks: dict[str, Any] = {**UNKNOWN, "linewidth": 0}
        axes.add_collection(PatchCollection(strips, **looks), autolim=False)


def _count_text(count: float) -> str:
    if count == 0:
        return ""
    return f"{count:.0f}" if float(count).is_integer() else f"{count:.3g}"


def _percent_text(share: float) -> str:
    """Return a share in percent, as short as may be, but never 0 or 100 where it is not."""
    percent = 100 * share
    if share == 0:
        return ""
    if percent < 0.05:
        return TINY
    if percent < 0.95:
        return f"{percent:.1f}"[1:]
    if 99.5 <= percent < 100 - 1e-9:
        return ">99"
    return f"{percent:.0f}"

"""Curves of how far features and predictions move with the size of a transform."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.paper.sheet import (
    DIM,
    FAINT,
    GAP,
    INK,
    PAD,
    SMALL,
    TEXT,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
    wrapped,
)

# Okabe and Ito's colours, told apart by everybody; the first is that of means.
COLOURS: Final = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#000000", "#8c8c00",
)  # fmt: skip
MOST_LINES: Final = len(COLOURS)  # images that get a line each
_WIDTH, _HEIGHT = 260, 120  # pixels of a panel
_TICKS: Final = 46  # pixels for the numbers of an axis, at its left
_BELOW: Final = 52  # pixels for those below, and what is measured
_SWATCH: Final = 18


class TransformCurves(NamedTuple):
    """What is drawn of a transform, a row of panels.

    `sizes` has the shape (s,); `natural` are the lowest and the highest that ordinary photos have,
    pairs of them where there are several ranges. `panels` are values of n images, shape (n, s).
    """

    scale: str
    sizes: NDArray[np.float64]
    natural: Sequence[tuple[float, float]]
    panels: Sequence[NDArray[np.float64]]


def draw_invariance(
    rows: Sequence[TransformCurves],
    *,
    heads: Sequence[str],
    images: Sequence[str],
    title: str,
    legend: str,
) -> Figure:
    """Draw a row of panels for each transform: distances, and the probability at the right.

    Up to eight images have a line each; of more, there is the mean with a band of a standard
    deviation to either side. All panels of a column have the same scale.

    Args:
        rows: At least one.
        heads: What each column of panels shows; the last is a probability.
        images: The names of the images.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        pitch = _TICKS + _WIDTH + GAP
        width = len(heads) * pitch
        heading = Title(title, width)
        width = max(width, heading.width)
        lines = wrapped(legend, width, size=TEXT)
        columns = [wrapped(head, _WIDTH, size=TEXT) for head in heads]
        keys = _places_of_keys(images, width) if len(images) <= MOST_LINES else []
        key_rows = 1 + max((row for row, _ in keys), default=-1)
        top = PAD + heading.height + line_height(TEXT) * (len(lines) + key_rows) + GAP
        first = top + max(map(len, columns)) * line_height(TEXT) + GAP // 2
        sheet = Sheet(width + 2 * PAD, first + len(rows) * (_HEIGHT + _BELOW) + PAD)
        heading.draw(sheet)
        y = PAD + heading.height
        for number, line in enumerate(lines):
            sheet.text(PAD, y + number * line_height(TEXT), line, size=TEXT, color=DIM)
        y += len(lines) * line_height(TEXT)
        _draw_keys(sheet, keys, images, y)
        highest = [_highest([row.panels[at] for row in rows]) for at in range(len(heads))]
        for at, head in enumerate(columns):
            left = PAD + _TICKS + at * pitch
            for number, line in enumerate(head):
                sheet.text(left, top + number * line_height(TEXT), line, fontweight="bold")
            for number, row in enumerate(rows):
                axes = sheet.axes(left, first + number * (_HEIGHT + _BELOW), _WIDTH, _HEIGHT)
                _draw_panel(axes, row, row.panels[at])
                axes.set_ylim(0, 1.02 if at == len(heads) - 1 else highest[at])
        return sheet.finished()


def _places_of_keys(images: Sequence[str], width: int) -> list[tuple[int, int]]:
    """Return the row and the position of each image's name in the key."""
    places, row, x = [], 0, 0
    for name in images:
        needed = _SWATCH + text_width([name], size=SMALL) + 2 * GAP
        if x and x + needed > width:
            row, x = row + 1, 0
        places.append((row, x))
        x += needed
    return places


def _draw_keys(
    sheet: Sheet, keys: Sequence[tuple[int, int]], images: Sequence[str], top: int
) -> None:
    for (row, x), name, colour in zip(keys, images, COLOURS, strict=False):
        y = top + row * line_height(TEXT) + line_height(TEXT) / 2
        start = PAD + x
        sheet.lines([((start, y), (start + _SWATCH - 4, y))], colors=colour, linewidths=1.6)
        sheet.text(start + _SWATCH, y, name, size=SMALL, va="center")


def _highest(panels: Sequence[NDArray[np.float64]]) -> float:
    """Return the end of the scale that panels share: just above the highest thing drawn."""
    if len(panels[0]) <= MOST_LINES:
        top = max(float(np.nanmax(values)) for values in panels)
    else:
        top = max(float(np.nanmax(_mean(values) + _spread(values))) for values in panels)
    return 1.05 * top if top > 0 else 1.0


def _draw_panel(axes: Axes, row: TransformCurves, values: NDArray[np.float64]) -> None:
    for low, high in row.natural:
        axes.axvspan(low, high, color=FAINT, linewidth=0, zorder=0)
    looks: dict[str, Any] = {"linewidth": 1.4, "marker": "o", "markersize": 2.5, "clip_on": False}
    if len(values) <= MOST_LINES:
        for of_image, colour in zip(values, COLOURS, strict=False):
            axes.plot(row.sizes, of_image, color=colour, **looks)
    else:
        mean, spread = _mean(values), _spread(values)
        band = (np.maximum(mean - spread, 0), mean + spread)
        axes.fill_between(row.sizes, *band, color=COLOURS[0], alpha=0.2, linewidth=0)
        axes.plot(row.sizes, mean, color=COLOURS[0], **looks)
    axes.set_xlim(float(row.sizes[0]), float(row.sizes[-1]))
    axes.tick_params(labelsize=SMALL, color="0.6", labelcolor=DIM, length=2)
    axes.locator_params(axis="y", nbins=4)
    axes.set_xlabel(row.scale, fontsize=SMALL, color=INK, labelpad=2)
    axes.spines[["top", "right"]].set_visible(False)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.nanmean(values, axis=0)
    return mean


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread: NDArray[np.float64] = np.nanstd(values, axis=0, ddof=1)
    return spread

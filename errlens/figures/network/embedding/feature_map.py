"""A map of images as dots: coloured by class, errors marked, groups outlined."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.sheet import (
    DIM,
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

SIZE: Final = (1000, 760)  # pixels of the map
# Colours that can be told apart, also by most of the colour-blind.
COLOURS: Final = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#5b3a8c",
    "#c9b800", "#56b4e9",
)  # fmt: skip
REST: Final = "0.75"
HELD: Final = 0.8  # of a group's images, inside its outline
_CELLS: Final = 160  # across the map, that images are counted in
_BLUR: Final = 4.0  # cells
_LEAST: Final = 5  # images of a group with an outline
_ROOM: Final = 0.06  # of the width, around all images
_DASHES: Final = ("solid", "dashed", "dotted", "dashdot")


class Map(NamedTuple):
    """n images on a map.

    `places` has shape (n, 2), `colour` says for each which of `names` it is of, -1 for none. Those
    of a group are bool of shape (n,), by its name.
    """

    places: NDArray[np.float64]
    colour: NDArray[np.int64]
    names: Sequence[str]
    wrong: NDArray[np.bool_]
    groups: Sequence[tuple[str, NDArray[np.bool_]]] = ()
    axes: tuple[str, str] = ("", "")


def draw_map(drawn: Map, *, title: str, legend: str) -> Figure:
    """Draw each image as a dot, errors as crosses in the colour of their label.

    Args:
        drawn: At least one image.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        width, height = SIZE
        keys = [shown_name(name) for name in (*drawn.names, *(name for name, _ in drawn.groups))]
        beside = text_width([*keys, "an error", "other classes"], size=TEXT) + 4 * GAP
        heading = Title(title, width + beside)
        lines = wrapped(legend, width + beside, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        foot = line_height(TEXT) + GAP if any(drawn.axes) else 0
        sheet = Sheet(max(width + beside, heading.width) + 2 * PAD, top + height + foot + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        axes = sheet.axes(PAD, top, width, height)
        axes.set(xticks=[], yticks=[])
        (left, right), (low, high) = limits = frame_of(drawn.places)
        axes.set(xlim=(left, right), ylim=(low, high))
        _draw_dots(axes, drawn)
        for (_, members), dashes in zip(drawn.groups, _dashes(drawn), strict=True):
            _draw_outline(axes, drawn.places[members], limits, dashes)
        across, up = drawn.axes
        sheet.text(PAD, top + height + GAP / 2, across, size=SMALL, color=DIM)
        sheet.text(PAD + width, top + height + GAP / 2, up, size=SMALL, color=DIM, ha="right")
        _draw_key(sheet, drawn, PAD + width + GAP, top)
        return sheet.finished()


def frame_of(places: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits along x and y of a frame with some room around all places.

    >>> frame_of(np.array([[0.0, 5.0], [100.0, 5.0]]))
    ((-6.0, 106.0), (-1.0, 11.0))
    """
    low, high = places.min(axis=0), places.max(axis=0)
    spread = high - low
    room = np.where(spread > 0, _ROOM * spread, _ROOM * max(float(spread.max()), 1.0))
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return (left, right), (bottom, top)


def _dashes(drawn: Map) -> list[str]:
    return [_DASHES[number % len(_DASHES)] for number in range(len(drawn.groups))]


def _paint(number: int) -> str:
    return COLOURS[number % len(COLOURS)] if number >= 0 else REST


def _draw_dots(axes: Axes, drawn: Map) -> None:
    """Draw right images below, then errors, each kind in the order of the images."""
    size = float(np.clip(6_000 / len(drawn.places), 5, 40))
    colours = np.array([_paint(number) for number in drawn.colour.tolist()])
    right = ~drawn.wrong
    x, y = drawn.places.T
    axes.scatter(x[right], y[right], s=size, c=colours[right], alpha=0.6, linewidths=0)
    looks: dict[str, Any] = {
        "marker": "X",
        "edgecolors": "black",
        "linewidths": 0.06 * size**0.5 + 0.1,
    }
    wrong = drawn.wrong
    axes.scatter(x[wrong], y[wrong], s=2.5 * size, c=colours[wrong], **looks)


def _draw_outline(
    axes: Axes,
    places: NDArray[np.float64],
    limits: tuple[tuple[float, float], tuple[float, float]],
    dashes: str,
) -> None:
    """Draw a line around where most images of a group are; it may have several parts."""
    if len(places) < _LEAST:
        return
    (left, right), (low, high) = limits
    edges = [np.linspace(left, right, _CELLS + 1), np.linspace(low, high, _CELLS + 1)]
    x, y = (
        np.clip(np.digitize(at, edge) - 1, 0, _CELLS - 1)
        for at, edge in zip(places.T, edges, strict=True)
    )
    counts = np.zeros((_CELLS, _CELLS))
    np.add.at(counts, (x, y), 1.0)
    density = gaussian_filter(counts, _BLUR, mode="constant")
    of_each = np.sort(density[x, y])
    level = of_each[int((1 - HELD) * len(of_each))] * (1 - 1e-9)
    middles = [(edge[:-1] + edge[1:]) / 2 for edge in edges]
    axes.contour(*middles, density.T, levels=[level], colors=INK, linewidths=1.3, linestyles=dashes)


def _draw_key(sheet: Sheet, drawn: Map, x: int, y: int) -> None:
    """Name colours, the mark of errors, and outlines."""
    step = line_height(TEXT) + GAP // 2
    rows: list[tuple[str, dict[str, Any]]] = [
        (name, {"marker": "o", "color": _paint(number)}) for number, name in enumerate(drawn.names)
    ]
    if (drawn.colour < 0).any():
        rows.append(("other classes", {"marker": "o", "color": REST}))
    if drawn.wrong.any():
        looks = {"marker": "X", "color": "white", "markeredgecolor": "black"}
        rows.append(("an error", looks))
    for name, looks in rows:
        dot: dict[str, Any] = {"linestyle": "", "markersize": 6, **looks}
        sheet.margins.plot([x + GAP], [y + step / 2], **dot)
        sheet.text(x + 2.5 * GAP, y + step / 2, shown_name(name), va="center")
        y += step
    for (name, _), dashes in zip(drawn.groups, _dashes(drawn), strict=True):
        sheet.lines([((x, y + step / 2), (x + 2 * GAP, y + step / 2))], linestyles=dashes)
        sheet.text(x + 2.5 * GAP, y + step / 2, shown_name(name), va="center")
        y += step

"""Distances of changes when a part is hidden, against those when random regions are.

Table 1 of M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV
2014, as a picture.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from errlens.figures.paper.letters import shown_name, shown_names
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
from errlens.formats import probability

PART: Final = "#0072b2"  # Okabe and Ito's blue, told from grey by everybody
RANDOM: Final = "0.75"
_WIDTH: Final = 430  # pixels of a panel
_PITCH: Final = 26  # pixels a layer
_BELOW: Final = 46  # pixels for the numbers of an axis, and what is measured


class Likeness(NamedTuple):
    """A layer: the distance when the part is hidden, and of regions the mean and the spread.

    `sure` says that chance does not explain how small the distance is.
    """

    layer: str
    distance: float
    random_mean: float
    random_low: float
    random_high: float
    sure: bool


class Panel(NamedTuple):
    """What is compared, and how alike it is at each layer; at none, nothing was compared."""

    heading: str
    layers: Sequence[Likeness]


def draw_likeness(
    parts: Sequence[tuple[str, Sequence[Panel]]], *, title: str, legend: str
) -> Figure:
    """Draw a row of panels for each part, a line for each layer.

    All panels of a column have one scale, from the smallest thing drawn to the largest.

    Args:
        parts: What to call each part, and its panels, of each part as many.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        names = shown_names(
            [row.layer for _, panels in parts for panel in panels for row in panel.layers]
        )
        left = text_width(names, size=SMALL) + GAP
        numbers = text_width(["0.000 / 0.000"], size=SMALL) + GAP
        pitch = left + _WIDTH + numbers + 2 * GAP
        columns = len(parts[0][1])
        width = columns * pitch - 2 * GAP
        heading = Title(title, width)
        lines = wrapped(legend, width, size=TEXT)
        y = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        tops = []
        for _, panels in parts:
            tops.append(y)
            y += _above() + _deep(panels) + _BELOW
        sheet = Sheet(max(width, heading.width) + 2 * PAD, y + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            sheet.text(PAD, PAD + heading.height + number * line_height(TEXT), line, color=DIM)
        for (part, panels), top in zip(parts, tops, strict=True):
            sheet.text(PAD, top, shown_name(part), fontweight="bold")
            for at, panel in enumerate(panels):
                x = PAD + at * pitch + left
                sheet.text(x, top + line_height(TEXT), panel.heading, color=DIM)
                if panel.layers:
                    deep = _PITCH * len(panel.layers)
                    axes = sheet.axes(x, top + _above(), _WIDTH, deep)
                    _draw_panel(axes, panel, _ends([panels[at] for _, panels in parts]))
        return sheet.finished()


def _above() -> int:
    return 2 * line_height(TEXT) + GAP // 2


def _deep(panels: Sequence[Panel]) -> int:
    return _PITCH * max(len(panel.layers) for panel in panels)


def _ends(panels: Sequence[Panel]) -> tuple[float, float]:
    """Return the ends of the scale that panels share, with room for marks."""
    rows = [row for panel in panels for row in panel.layers]
    low = min(min(row.distance, row.random_low) for row in rows)
    high = max(max(row.distance, row.random_high) for row in rows)
    room = 0.04 * (high - low) or 0.05
    return low - room, high + room


def _draw_panel(axes: Axes, panel: Panel, ends: tuple[float, float]) -> None:
    for y, row in enumerate(panel.layers):
        axes.plot([row.random_low, row.random_high], [y, y], color=RANDOM, linewidth=7,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot([row.random_mean] * 2, [y - 0.25, y + 0.25], color=DIM, linewidth=1.2)
        face = PART if row.sure else "white"
        axes.plot([row.distance], [y], "o", markersize=5.5, markeredgecolor=PART,
                  markerfacecolor=face, markeredgewidth=1.2, clip_on=False)  # fmt: skip
        axes.annotate(
            f"{probability(row.distance)} / {probability(row.random_mean)}",
            (1, y), xytext=(6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center", fontsize=SMALL, color=INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlim(ends)
    axes.set_ylim(len(panel.layers) - 0.5, -0.5)
    axes.set_yticks(
        range(len(panel.layers)), shown_names([row.layer for row in panel.layers]), fontsize=SMALL
    )
    axes.tick_params(labelsize=SMALL, color="0.6", labelcolor=INK, length=2)
    axes.locator_params(axis="x", nbins=6)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_xlabel("mean Hamming distance of signs", fontsize=SMALL, color=INK, labelpad=2)
    axes.spines[["top", "right"]].set_visible(False)

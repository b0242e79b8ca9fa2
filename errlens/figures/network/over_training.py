"""Lines over the checkpoints of a training."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from errlens.errors import shortened
from errlens.figures.paper.letters import shown_text
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
    PAD,
    SMALL,
    TEXT,
    Segment,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
    wrapped,
)

# Okabe and Ito's colours, told apart by everybody; those that follow are dashed.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_STYLES: Final = ("-", "--", ":")
_HIGH: Final = 150  # pixels of a panel
_WIDE: Final = (420, 900)  # at least and at most, by the number of checkpoints
_STEP: Final = 64  # pixels from checkpoint to checkpoint, if there is room
_TICKS: Final = 46  # pixels for the numbers at the left
_KEY: Final = 18  # pixels of a line in the key


class Line(NamedTuple):
    """Values at the checkpoints, nan where there is none, maybe within a band."""

    name: str
    values: Sequence[float]
    band: tuple[Sequence[float], Sequence[float]] | None = None


class Lines(NamedTuple):
    """Lines on one scale below a heading; `limits` are its ends, None for as far as it goes.

    A thin line is drawn at each of the `marks`.
    """

    heading: str
    lines: Sequence[Line]
    limits: tuple[float | None, float | None] = (None, None)
    marks: Sequence[float] = ()


def draw_over_training(
    panels: Sequence[Lines], checkpoints: Sequence[str], *, title: str, legend: str
) -> Figure:
    """Draw panels one below the other, over the same checkpoints at equal distances.

    Args:
        panels: At least one.
        checkpoints: What they are called.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        wide = min(_WIDE[1], max(_WIDE[0], _STEP * len(checkpoints)))
        names = [shown_text(shortened(line.name, most=40)) for panel in panels
                 for line in panel.lines]  # fmt: skip
        key = _KEY + GAP + text_width(names, size=SMALL)
        width = _TICKS + wide + GAP + key
        heading = Title(title, width)
        width = max(width, heading.width)
        legend_lines = wrapped(legend, width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        head = line_height(TEXT) + GAP // 2
        ticks, turned = _ticks(checkpoints, wide)
        heights = [max(_HIGH, len(panel.lines) * line_height(SMALL)) for panel in panels]
        below = GAP + (text_width([name for _, name in ticks], size=SMALL) if turned
                       else line_height(SMALL))  # fmt: skip
        total = top + sum(heights) + len(panels) * head + (len(panels) - 1) * 2 * GAP + below + PAD
        sheet = Sheet(width + 2 * PAD, total)
        heading.draw(sheet)
        for number, line in enumerate(legend_lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, color=DIM)
        y = top
        for panel, height in zip(panels, heights, strict=True):
            sheet.text(PAD, y, panel.heading, fontweight="bold")
            y += head
            axes = sheet.axes(PAD + _TICKS, y, wide, height)
            _draw(axes, panel, len(checkpoints))
            is_last = panel is panels[-1]
            axes.set_xticks([at for at, _ in ticks])
            axes.set_xticklabels([name if is_last else "" for _, name in ticks],
                                 rotation=90 if turned else 0)  # fmt: skip
            _write_key(sheet, panel, PAD + _TICKS + wide + GAP, y)
            y += height + 2 * GAP
        return sheet.finished()


def _draw(axes: Any, panel: Lines, n: int) -> None:
    for mark in panel.marks:
        axes.axhline(mark, color="0.6", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    places = np.arange(n)
    for number, line in enumerate(panel.lines):
        look = _look(number)
        values = np.asarray(line.values, float)
        if line.band:
            low, high = (np.asarray(edge, float) for edge in line.band)
            axes.fill_between(places, low, high, color=look["color"], alpha=0.15, linewidth=0)
        axes.plot(places, values, marker="o", markersize=3, linewidth=1.4, **look)
    axes.set_xlim(-0.3, n - 0.7)
    axes.set_ylim(*panel.limits)
    axes.tick_params(labelsize=SMALL, length=3, color="0.6")
    axes.spines[["top", "right"]].set_visible(False)


def _write_key(sheet: Sheet, panel: Lines, x: int, y: int) -> None:
    """Write which line is which, beside a panel."""
    if len(panel.lines) < 2:
        return
    for number, line in enumerate(panel.lines):
        middle = y + (number + 0.5) * line_height(SMALL)
        look = _look(number)
        ends: list[Segment] = [((x, middle), (x + _KEY, middle))]
        sheet.lines(ends, colors=look["color"], linestyles=look["linestyle"], linewidths=1.4)
        name = shown_text(shortened(line.name, most=40))
        sheet.text(x + _KEY + GAP // 2, middle, name, size=SMALL, va="center")


def _look(number: int) -> dict[str, Any]:
    style = _STYLES[number // len(_COLOURS) % len(_STYLES)]
    return {"color": _COLOURS[number % len(_COLOURS)], "linestyle": style}


def _ticks(names: Sequence[str], wide: int) -> tuple[list[tuple[int, str]], bool]:
    """Return at which checkpoints there is a name, and whether names are upright."""
    shown = [shown_text(shortened(name, most=30)) for name in names]
    step = wide / len(names)
    if text_width(shown, size=SMALL) + GAP <= step:
        return list(enumerate(shown)), False
    every = max(1, int(np.ceil(line_height(SMALL) / step)))
    places = range(len(names) - 1, -1, -every)  # the last has a name in any case
    return [(at, shown[at]) for at in places], True

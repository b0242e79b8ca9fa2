"""What linear probes find: accuracy layer by layer, and learning curves."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from errlens.figures.paper.letters import shown_names
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
    wrapped,
)

# Okabe and Ito's colours, told apart by everybody.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_STYLES: Final = ("-", "--", ":")
_HEIGHT: Final = 260  # pixels of the axes
_PITCH: Final = 56  # pixels a layer
_LEAST: Final = 420
_LINE: Final = 18  # pixels of a line in the key


class Curve(NamedTuple):
    """A line: its name, its values with low and high ends; `pale` is what others are held to."""

    name: str
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    pale: bool = False


def draw_curves(
    places: Sequence[str],
    curves: Sequence[Curve],
    *,
    title: str,
    legend: str,
    chance: float | None = None,
    across: str = "",
) -> Figure:
    """Draw shares over places from left to right, with their intervals, and a key beside them.

    Args:
        places: Names of what is on the horizontal axis: layers, or numbers.
        curves: At least one; each has a value for each place.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
        chance: A dotted line, where there is one for all.
        across: What the places are; none where their names say it.
    """
    with house_style():
        width = max(_LEAST, _PITCH * len(places))
        left = text_width(["100 %"], size=SMALL) + GAP
        names = shown_names([curve.name for curve in curves])
        key = _LINE + GAP + text_width([*names, "chance"], size=SMALL)
        total = left + width + 2 * GAP + key
        heading = Title(title, total)
        lines = wrapped(legend, total, size=TEXT)
        shown = shown_names(places)
        turned = max(text_width([name], size=SMALL) for name in shown) > _PITCH - 4
        below = text_width(shown, size=SMALL) if turned else line_height(SMALL)
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        foot = below + line_height(SMALL) * bool(across) + 2 * GAP
        deep = max(_HEIGHT, (len(curves) + 1) * line_height(SMALL))
        sheet = Sheet(max(total, heading.width) + 2 * PAD, top + deep + foot + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            down = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, down, line, size=TEXT, color=DIM)
        axes = sheet.axes(PAD + left, top, width, _HEIGHT)
        _draw(axes, len(places), curves, chance)
        axes.set_xticks(range(len(places)), shown, fontsize=SMALL, rotation=90 * turned)
        for number, name in enumerate([*names, *(["chance"] if chance is not None else [])]):
            middle = top + (number + 0.5) * line_height(SMALL)
            x = PAD + left + width + 2 * GAP
            look = _look(curves, number) if number < len(names) else _CHANCE
            sheet.margins.plot([x, x + _LINE], [middle, middle], **look)
            sheet.text(x + _LINE + GAP, middle, name, size=SMALL, va="center")
        if across:
            y = top + _HEIGHT + below + 2 * GAP
            sheet.text(PAD + left + width / 2, y, across, size=SMALL, ha="center", color=DIM)
        return sheet.finished()


_CHANCE: Final[dict[str, Any]] = {"color": DIM, "linestyle": ":", "linewidth": 1.2}


def _look(curves: Sequence[Curve], number: int) -> dict[str, Any]:
    if curves[number].pale:
        return {"color": DIM, "linestyle": "-", "linewidth": 1.2}
    at = sum(not curve.pale for curve in curves[:number])
    style = _STYLES[at // len(COLOURS) % len(_STYLES)]
    return {"color": COLOURS[at % len(COLOURS)], "linestyle": style, "linewidth": 1.6}


def _draw(axes: Axes, n: int, curves: Sequence[Curve], chance: float | None) -> None:
    for number, curve in enumerate(curves):
        look = _look(curves, number)
        axes.plot(range(n), curve.value, marker="o", markersize=3, **look)
        axes.fill_between(range(n), curve.low, curve.high, color=look["color"], alpha=0.15, lw=0)
    if chance is not None:
        axes.axhline(chance, **_CHANCE)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks], fontsize=SMALL)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(-0.5, n - 0.5)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

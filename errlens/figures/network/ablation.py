"""What silencing channels did: bars of errors that are gone and of right answers that broke."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from errlens.figures.gallery import COLOURS
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
from errlens.formats import count

_HALF: Final = 260  # pixels of the longest bar
_BAR: Final = 14  # pixels
_PITCH: Final = 22
_NUMBER: Final = 44  # pixels for the number at the end of a bar
_TO_NUMBER: Final = 4


class SilencedChannels(NamedTuple):
    """What silencing some channels did to the errors and the right answers of a pair."""

    name: str
    fixed: int
    broken: int
    control: bool = False


def draw_ablation(silenced: Sequence[SilencedChannels], *, title: str, legend: str) -> Figure:
    """Draw a bar to the right for errors that are gone, and one to the left for what broke.

    Those of random channels are pale, below a line.

    Args:
        silenced: At least one, the controls last.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        labels = text_width([each.name for each in silenced], size=SMALL) + GAP
        width = labels + 2 * (_HALF + _NUMBER)
        heading = Title(title, width)
        legend_lines = wrapped(legend, width, size=TEXT)
        heads = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        top = heads + line_height(TEXT) + GAP
        gap = GAP * any(each.control for each in silenced)
        sheet = Sheet(max(width, heading.width) + 2 * PAD, top + _PITCH * len(silenced) + gap + PAD)
        heading.draw(sheet)
        for number, line in enumerate(legend_lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        middle = PAD + labels + _NUMBER + _HALF
        sheet.text(middle - GAP, heads, "right answers that break", size=TEXT, ha="right")
        sheet.text(middle + GAP, heads, "errors that are gone", size=TEXT)
        longest = max(1, *(max(each.fixed, each.broken) for each in silenced))
        y = top
        for at, each in enumerate(silenced):
            if each.control and at and not silenced[at - 1].control:
                sheet.lines([((PAD, y + GAP / 2), (PAD + width, y + GAP / 2))], colors=DIM)
                y += GAP
            sheet.text(PAD + labels - GAP, y + _BAR / 2, each.name, size=SMALL, ha="right",
                       va="center", color=DIM if each.control else "black")  # fmt: skip
            for n, fixed in ((each.fixed, True), (each.broken, False)):
                length = n / longest * _HALF
                _bar(sheet, middle, y, n, length, fixed=fixed, pale=each.control)
            y += _PITCH
        sheet.lines([((middle, top - GAP / 2), (middle, y))])
        return sheet.finished()


def _bar(
    sheet: Sheet, middle: int, y: float, n: int, length: float, *, fixed: bool, pale: bool
) -> None:
    """Draw a bar from the middle to one side, with its number at the end."""
    side = 1 if fixed else -1
    face = tuple(part / 255 for part in COLOURS["right" if fixed else "wrong"])
    looks: dict[str, Any] = {"facecolor": face, "alpha": 0.45 if pale else 1.0, "linewidth": 0}
    sheet.margins.add_patch(Rectangle((middle, y), side * length, _BAR, **looks))
    align = "left" if fixed else "right"
    end = middle + side * (length + _TO_NUMBER)
    sheet.text(end, y + _BAR / 2, count(n), size=SMALL, va="center", ha=align)

"""A heat map of errors by corruption and severity, with their means."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.figures.matrix.cells import ERRORS
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
from errlens.formats import share

_CELL: Final = 58, 30  # pixels
_BARS: Final = 220  # pixels for a mean of 100 %
_BAR: Final = 12  # pixels a bar is high
_DARK: Final = 0.48  # of the scale: from there on, numbers are white
_BLUE: Final = "#0072b2"


def draw_severities(
    errors: NDArray[np.float64],
    means: NDArray[np.float64],
    *,
    names: Sequence[str],
    severities: Sequence[int],
    clean: float,
    title: str,
    legend: str,
) -> Figure:
    """Draw a row for each corruption: errors at each severity, and their mean as a bar.

    Args:
        errors: Shares, shape (corruptions, severities).
        means: Mean, low and high end of its interval, shape (corruptions, 3).
        names: Of the corruptions.
        severities: In the order of the columns.
        clean: The error of clean images, drawn as a line through the bars where it is above 0.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    wide, high = _CELL
    with house_style():
        cells = PAD + text_width(names, size=TEXT) + GAP
        bars = cells + wide * len(severities) + 2 * GAP
        numbers = text_width(["100.0 %"], size=SMALL)
        width = bars + _BARS + GAP + numbers - PAD
        heading = Title(title, width)
        width = max(width, heading.width)
        lines = wrapped(legend, width, size=TEXT)
        below = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        top = below + line_height(TEXT) + GAP // 2
        bottom = top + high * len(names)
        sheet = Sheet(width + 2 * PAD, bottom + line_height(SMALL) + GAP + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        paper = sheet.blank()
        for column, severity in enumerate(severities):
            middle = cells + wide * (column + 0.5)
            sheet.text(middle, below, str(severity), ha="center", fontweight="bold")
        sheet.text(bars, below, "mean", fontweight="bold")
        for row, name in enumerate(names):
            y = top + high * row
            sheet.text(cells - GAP, y + high / 2, name, ha="right", va="center")
            _draw_cells(sheet, paper, (cells, y), errors[row])
            _draw_mean(sheet, paper, (bars, y + high // 2), means[row])
        _draw_scale(sheet, (bars, top, bottom), clean)
        sheet.underlay(paper, [(cells, top, bars - 2 * GAP, bottom)])
        return sheet.finished()


def _draw_cells(
    sheet: Sheet, paper: NDArray[np.uint8], place: tuple[int, int], errors: NDArray[np.float64]
) -> None:
    """Draw the errors of one corruption, each a coloured cell with its number."""
    left, y = place
    wide, high = _CELL
    for column, error in enumerate(errors.tolist()):
        x = left + wide * column
        colour = np.rint(255 * np.array(ERRORS(error)[:3])).astype(np.uint8)
        paper[y : y + high - 1, x : x + wide - 1] = colour
        ink = "white" if error > _DARK else INK
        text = share(error).removesuffix(" %")
        sheet.text(x + wide / 2, y + high / 2, text, ha="center", va="center", color=ink)


def _draw_mean(
    sheet: Sheet, paper: NDArray[np.uint8], place: tuple[int, int], mean: NDArray[np.float64]
) -> None:
    """Draw a bar with its interval, and the number at the right."""
    left, middle = place
    value, *interval = mean.tolist()
    colour = np.rint(255 * np.array(to_rgb(_BLUE))).astype(np.uint8)
    start = middle - _BAR // 2
    paper[start : start + _BAR, left : left + round(_BARS * value)] = colour
    low, high = (left + _BARS * end for end in interval)
    ends = [((end, middle - 3), (end, middle + 3)) for end in (low, high)]
    sheet.lines([((low, middle), (high, middle)), *ends], linewidths=1.0)
    sheet.text(left + _BARS + GAP, middle, share(value), size=SMALL, va="center")


def _draw_scale(sheet: Sheet, place: tuple[int, int, int], clean: float) -> None:
    """Draw the scale of the bars, and the error of clean images through them."""
    left, top, bottom = place
    sheet.lines([((left, top), (left, bottom))], linewidths=0.6)
    for part, where in ((0, "left"), (0.5, "center"), (1, "right")):
        x = left + _BARS * part
        sheet.lines([((x, bottom), (x, bottom + 4))], linewidths=0.6)
        text = f"{100 * part:.0f} %"
        sheet.text(x, bottom + 6, text, size=SMALL, ha=where, color=DIM)
    if clean:
        x = left + _BARS * clean
        sheet.lines([((x, top), (x, bottom))], linewidths=1.2, linestyles="dashed")

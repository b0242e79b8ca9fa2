"""The key beside a picture: a colour bar with its unit, and what grey and hatched cells mean."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from errlens.figures.matrix.cells import EDGE, ERRORS, FRAME, GREY, IMAGES, LOG_ERRORS, UNKNOWN
from errlens.figures.matrix.marks import COLOUR as MARKED
from errlens.figures.matrix.marks import OUTLINES
from errlens.figures.paper.sheet import (
    GAP,
    SMALL,
    TEXT,
    Sheet,
    line_height,
    text_width,
    wrapped,
)

BAR: Final = 16  # pixels the colour bar is wide
LEAST_BAR: Final = 120  # and high
MOST_BAR: Final = 420
TICK: Final = 8  # from the bar to its numbers
SWATCH: Final = 16
SWATCH_LINE: Final = 24
NO_ERRORS: Final = "no errors"


class Scale(NamedTuple):
    """What the colours stand for; `ticks` are values with their texts."""

    norm: Normalize
    colours: Colormap
    ticks: dict[float, str]
    unit: str


def linear_scale(darkest: float, *, unit: str) -> Scale | None:
    """Return a scale from 0; None if there is nothing above."""
    if darkest <= 0:
        return None
    is_count = unit == IMAGES
    top = darkest if is_count else 100 * darkest
    steps = MaxNLocator(5, integer=is_count, steps=[1, 2, 5, 10]).tick_values(0, top)
    kept = [float(step) for step in steps if 0 <= step <= top * (1 + 1e-9)]
    ticks = {step * darkest / top: f"{step:,.0f}" if is_count else f"{step:g}" for step in kept}
    return Scale(Normalize(0, darkest), ERRORS, ticks, unit if is_count else f"{unit}, %")


def log_scale(darkest: float) -> Scale | None:
    """Return a scale from one image to at least ten; None if there is not even one."""
    if darkest <= 0:
        return None
    top = max(darkest, 10.0)
    steps = [1.0] if top >= 100 else [1.0, 2.0, 5.0]
    tens = 10.0 ** np.arange(np.floor(np.log10(top)) + 1)
    kept = [step for step in np.outer(tens, steps).ravel().tolist() if step <= top]
    return Scale(LogNorm(1, top), LOG_ERRORS, {step: f"{step:,.0f}" for step in kept}, IMAGES)


class Key:
    """The key to a picture that is `room` pixels high.

    `scale` is None where no colours are used, `grey` the colour of the diagonal, `marks` the kinds
    that there are.
    """

    def __init__(
        self,
        scale: Scale | None,
        *,
        room: int,
        gaps: bool,
        grey: str = GREY,
        marks: Sequence[str] = (),
    ) -> None:
        self._scale = scale
        self._swatches: dict[str, dict[str, Any]] = {
            "correct": {"facecolor": grey, "edgecolor": EDGE, "linewidth": 0.5}
        }
        if gaps:
            self._swatches["no data"] = {**UNKNOWN, "linewidth": 0.5}
        for kind in marks:
            outline = OUTLINES[kind]
            self._swatches[kind] = {
                "facecolor": "white",
                "edgecolor": MARKED,
                "linewidth": outline.width,
                "linestyle": outline.style,
            }
        notes = SWATCH + GAP + text_width([*self._swatches], size=TEXT)
        if scale is None:
            self._bar, self._unit = line_height(TEXT), [NO_ERRORS]
            self.width = max(notes, text_width(self._unit, size=TEXT))
        else:
            self._bar = min(max(room, LEAST_BAR), MOST_BAR)
            self._unit = wrapped(scale.unit, self._bar, size=TEXT)
            self._numbers = text_width(scale.ticks.values(), size=SMALL)
            unit = len(self._unit) * line_height(TEXT)
            self.width = max(notes, BAR + TICK + self._numbers + GAP + unit)
        self.height = self._bar + GAP + SWATCH_LINE * len(self._swatches)

    def draw(self, sheet: Sheet, x: int, y: int) -> None:
        """Draw it to the right of and below a position."""
        if self._scale is None:
            sheet.text(x, y, NO_ERRORS)
        else:
            self._draw_bar(sheet, self._scale, x, y)
        for number, (what, looks) in enumerate(self._swatches.items()):
            top = y + self._bar + GAP + SWATCH_LINE * number
            sheet.margins.add_patch(Rectangle((x, top), SWATCH, SWATCH, **looks))
            sheet.text(x + SWATCH + GAP, top + SWATCH / 2, what, va="center")

    def _draw_bar(self, sheet: Sheet, scale: Scale, x: int, y: int) -> None:
        bar = sheet.figure.colorbar(
            ScalarMappable(scale.norm, scale.colours),
            cax=sheet.axes(x, y, BAR, self._bar),
            ticks=[*scale.ticks],
            extend="neither",
        )
        bar.ax.set_yticklabels(scale.ticks.values(), fontsize=SMALL)
        bar.ax.tick_params(which="both", length=2, width=0.6, color=FRAME, pad=2)
        bar.minorticks_off()
        bar.outline.set(edgecolor=FRAME, linewidth=0.6)
        sheet.unit(x + BAR + TICK + self._numbers + GAP, y + self._bar / 2, self._unit)

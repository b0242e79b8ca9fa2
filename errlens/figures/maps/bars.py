"""Colour bars: what the colours of maps stand for, up to the largest value or beyond."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from errlens.choices import Upsampling
from errlens.figures.maps.overlay import common_scale, overlay
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    GAP,
    SMALL,
    TEXT,
    Pixels,
    Sheet,
    line_height,
    text_width,
    wrapped,
)
from errlens.formats import significant

LEAST_BAR: Final = 100  # pixels an upright colour bar is high
BAR: Final = 14  # pixels a colour bar is wide
TICK: Final = 6  # pixels from a colour bar to its numbers
ROUNDING: Final = 1e-6  # what float32 knows no more of

# A bar shows what colours do to a light place of a photo and, in its other half, to a dark one.
GROUNDS: Final = (255, 70)


class Shades(TypedDict, total=False):
    """How maps are coloured, as `overlay` has it."""

    alpha: float
    colormap: str | None
    signed: bool
    upsampling: Upsampling


class Bar:
    """A colour bar: upright, with its unit on the right, or level where that is None."""

    def __init__(
        self, length: int, maps: Sequence[NDArray[np.float32]], shades: Shades, unit: str | None
    ) -> None:
        scale = common_scale(maps)
        low = -scale if shades.get("signed", True) else 0.0
        self._upright = unit is not None
        self._length = length
        self._pixels = _ramp(length, low, scale, shades)
        self._shares = np.linspace(0, 1, 5 if self._upright else 3 if low else 2).tolist()
        between = [significant(low + share * (scale - low)) for share in self._shares[1:-1]]
        first = _last_number(low, min(float(values.min()) for values in maps))
        last = _last_number(scale, max(float(values.max()) for values in maps))
        self._numbers = [first, *between, last]
        self._unit = wrapped(unit or "", length, size=TEXT)
        self._before_unit = BAR + TICK + text_width(self._numbers, size=SMALL) + GAP
        beside = self._before_unit + line_height(TEXT) * len(self._unit)
        self.width, self.height = length, BAR + line_height(SMALL)
        if self._upright:
            self._pixels = np.rot90(self._pixels)
            self.width, self.height = beside, length

    def draw(self, sheet: Sheet, paper: Pixels, x: int, y: int) -> Place:
        """Draw it to the right of and below a position; return where its colours are."""
        place_of_colours = paste(paper, self._pixels, x, y)
        for text, share in zip(self._numbers, self._shares, strict=True):
            if self._upright:
                place = (x + BAR + TICK, y + (1 - share) * self._length)
                sheet.text(*place, text, size=SMALL, va=_edge(share, "bottom", "top"))
            else:
                place = (x + share * self._length, y + BAR + 2)
                sheet.text(*place, text, size=SMALL, ha=_edge(share, "left", "right"))
        sheet.unit(x + self._before_unit, y + self._length / 2, self._unit)
        return place_of_colours


def _ramp(length: int, low: float, high: float, shades: Shades) -> Pixels:
    """Return all colours from left to right, over a light ground and below over a dark one."""
    ground = np.repeat(np.array(GROUNDS, np.uint8), BAR // 2)
    over = np.repeat(ground, 3 * length).reshape(BAR, length, 3)
    values = np.linspace(low, high, length, dtype=np.float32)[None]
    return overlay(over, values, scale=high, **shades)


def _last_number(end: float, most: float) -> str:
    """Return the end of a bar in three digits, no nearer to zero than it is.

    `most` is the value furthest on that side; where it lies beyond, that is said.

    >>> _last_number(1.5651, 1.2), _last_number(0.75, 1.565), _last_number(-0.75, -2)
    ('1.57', '≥ 0.75', '≤ \N{MINUS SIGN}0.75')
    """
    exact = Decimal(abs(end) * (1 - ROUNDING))
    step = Decimal(1).scaleb(exact.adjusted() - 2)
    text = significant(math.copysign(float(exact.quantize(step, ROUND_CEILING)), end))
    if abs(most) <= abs(end) or most * end <= 0:
        return text
    return f"{'≥' if end > 0 else '≤'} {text}"


def _edge(share: float, first: str, last: str) -> str:
    """Return how a number is aligned on a bar: those at its ends do not reach beyond them."""
    return {0.0: first, 1.0: last}.get(share, "center")


def paste(paper: Pixels, pixels: Pixels, x: int, y: int) -> Place:
    """Put a picture on another one, its upper left corner at a place; return where it then is."""
    height, width = pixels.shape[:2]
    paper[y : y + height, x : x + width] = pixels
    return x, y, x + width, y + height

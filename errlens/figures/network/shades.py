"""Activations as shades: grey from the low end of their scale to the high one, or blue to red."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.maps.overlay import BLUE, RED
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

BAR: Final = 14  # pixels a scale is wide
TICK: Final = 6  # pixels from it to its numbers
LEAST: Final = 120  # pixels it is high
CLOSE: Final = 0.06  # of the scale: nearer to its ends zero has no number of its own


def shaded(shares: NDArray[np.floating], *, signed: bool) -> Pixels:
    """Return the colours of shares of a scale, 0 to 1, shape (H, W), as pixels.

    Black is low and white is high; `signed`, blue is low, white in the middle and red high.
    """
    steps = np.asarray(shares, float)[..., None]
    if not signed:
        grey = np.repeat(np.rint(255 * steps), 3, axis=2).astype(np.uint8)
        return np.ascontiguousarray(grey)
    ends = np.where(steps < 0.5, np.array(BLUE, float), np.array(RED, float))
    away = np.abs(2 * steps - 1)
    coloured: Pixels = np.rint(255 + (ends - 255) * away).astype(np.uint8)
    return coloured


def fitted(shares: NDArray[np.floating], width: int, height: int) -> NDArray[np.float32]:
    """Return a map as large as fits, its shape kept; its places are squares, or averages of them.

    Args:
        shares: Shape (rows, columns).
        width: Pixels at most.
        height: Pixels at most.
    """
    rows, columns = shares.shape
    by = min(width / columns, height / rows)
    by = float(int(by)) if by >= 1 else by  # whole multiples: all places are as large
    size = (max(1, round(columns * by)), max(1, round(rows * by)))
    picture = Image.fromarray(np.asarray(shares, np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BOX))


class Scale(NamedTuple):
    """The ends of a scale that pictures share, and what it measures."""

    low: float
    high: float
    signed: bool
    unit: str = "activation"


class ScaleBar:
    """An upright scale with the numbers of its ends and of zero; width and height in pixels."""

    def __init__(self, scale: Scale, height: int) -> None:
        self.height = max(LEAST, height)
        self._signed = scale.signed
        self._numbers = _numbers(scale)
        self._unit = wrapped(scale.unit, self.height, size=TEXT)
        texts = text_width((text for _, text in self._numbers), size=SMALL)
        self._before_unit = BAR + TICK + texts + GAP
        self.width = self._before_unit + line_height(TEXT) * len(self._unit)

    def draw(self, sheet: Sheet, paper: Pixels, x: int, y: int) -> Place:
        """Draw it to the right of and below a position; return where its colours are."""
        shares = np.linspace(1, 0, self.height)[:, None].repeat(BAR, axis=1)
        paper[y : y + self.height, x : x + BAR] = shaded(shares, signed=self._signed)
        frame = [x, y, x + BAR, y + self.height]
        corners = [(frame[0], frame[1]), (frame[2], frame[1]), (frame[2], frame[3])]
        corners += [(frame[0], frame[3]), corners[0]]
        sheet.lines(list(pairwise(corners)), linewidths=0.4)
        for share, text in self._numbers:
            edge = {0.0: "bottom", 1.0: "top"}.get(share, "center")
            sheet.text(x + BAR + TICK, y + (1 - share) * self.height, text, size=SMALL, va=edge)
        sheet.unit(x + self._before_unit, y + self.height / 2, self._unit)
        return x, y, x + BAR, y + self.height


def _numbers(scale: Scale) -> list[tuple[float, str]]:
    """Return the numbers beside a scale, with where they stand from 0 to 1."""
    low, high, *_ = scale
    if not high > low:
        return [(0.0, significant(low))]
    zero = -low / (high - low)
    between = [(zero, "0")] if CLOSE < zero < 1 - CLOSE else []
    return [(0.0, significant(low)), *between, (1.0, significant(high))]

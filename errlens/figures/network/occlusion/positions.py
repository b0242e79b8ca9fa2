"""Maps over the positions of a square as pixels, with their colour bars."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.maps.bars import BAR, TICK, paste
from errlens.figures.paper.distinct import Colour
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import SMALL, Pixels, Sheet, line_height

SIDE: Final = 240  # pixels of the longest side of a panel
MARK: Final = 6  # pixels that the mark on a bar reaches beyond it
UNKNOWN: Final[Colour] = (255, 255, 255)  # where the outputs are not finite
Write = Callable[[float], str]
_TABLE: Final = colormaps["viridis"](np.arange(256), bytes=True)[:, :3]


def panel_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the panels for an input; small ones in whole multiples.

    >>> panel_size(32, 32), panel_size(224, 112)
    ((224, 224), (240, 120))
    """
    longest = max(height, width)
    by = SIDE // longest if longest <= SIDE // 2 else SIDE / longest
    return max(1, round(height * by)), max(1, round(width * by))


def enlarged(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """Return a photo at the size of a panel; the pixels of a small one have edges."""
    larger = size[0] >= 2 * picture.shape[0]
    resampling = Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture).resize(size[::-1], resampling))


def placed_area(shares: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a panel are in an area, of shares of pixels, shape (H, W)."""
    resized = Image.fromarray(shares).resize(size[::-1], Image.Resampling.BILINEAR)
    inside: NDArray[np.bool_] = np.asarray(resized) > 1 / 2
    return inside


def cells(colours: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """Return equal cells of one colour each, of shape (rows, columns, 3), at the size of a panel.

    The square of a position stands in the middle of its cell.
    """
    picture = Image.fromarray(np.ascontiguousarray(colours))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.NEAREST))


class ValueScale:
    """Colours of values, from `low` to `high`, and a bar of them that marks one value."""

    def __init__(self, values: NDArray[np.floating], marked: float) -> None:
        """Take the values of a map and the one of the image as it is; the scale has zero on it."""
        known = values[np.isfinite(values)]
        self._marked = marked
        self._low = min(0.0, marked, float(known.min(initial=0.0)))
        self._high = max(marked, float(known.max(initial=0.0)), 0.0)

    def colours(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the colours of a map, shape (rows, columns, 3)."""
        span = (self._high - self._low) or 1.0
        shares = np.nan_to_num((values - self._low) / span).clip(0, 1)
        table: NDArray[np.uint8] = _TABLE[np.rint(255 * shares).astype(int)]
        return np.where(np.isfinite(values)[..., None], table, np.array(UNKNOWN, np.uint8))

    def draw(self, sheet: Sheet, paper: Pixels, x: int, y: int, height: int, write: Write) -> Place:
        """Draw the bar to the right of and below a place; return where its colours are.

        The numbers are those of its ends and, bold with a line, the one that is marked.
        """
        ramp = np.rint(np.linspace(255, 0, height)).astype(int)
        place = paste(paper, _TABLE[ramp][:, None].repeat(BAR, axis=1), x, y)
        span = (self._high - self._low) or 1.0
        at = y + (self._high - self._marked) / span * height
        sheet.lines([((x - 2, at), (x + BAR + MARK, at))], linewidths=1.6)
        ends = [(y, self._high), (y + height, self._low)]
        near = line_height(SMALL)
        left = x + BAR + TICK
        for end, value in ends:
            if abs(end - at) >= near:
                edge = "top" if end == y else "bottom"
                sheet.text(left, end, write(value), size=SMALL, va=edge)
        inside = min(max(at, y + near / 2), y + height - near / 2)
        sheet.text(left + MARK, inside, write(self._marked), size=SMALL, va="center", weight="bold")
        return place


def number_cells(
    sheet: Sheet,
    numbers: NDArray[np.int64],
    colours: Sequence[Colour],
    place: tuple[int, int],
    size: tuple[int, int],
) -> None:
    """Write the number of each cell's class into it, from 1, where there is room for that.

    Args:
        sheet: The page.
        numbers: Of classes, as positions in `colours`; those that have none stay empty.
        colours: Of the cells.
        place: `x` and `y` of the panel's upper left corner.
        size: Height and width of the panel.
    """
    rows, columns = numbers.shape
    high, wide = size[0] / rows, size[1] / columns
    if min(high, wide) < line_height(SMALL):
        return
    for row, column in np.ndindex(rows, columns):
        number = int(numbers[row, column])
        if 0 <= number < len(colours):
            middle = place[0] + (column + 0.5) * wide, place[1] + (row + 0.5) * high
            ink = ink_on(colours[number])
            text = str(number + 1)
            sheet.text(*middle, text, size=SMALL, ha="center", va="center", color=ink)


def ink_on(colour: Colour) -> str:
    """Return the ink that can be read on a colour."""
    red, green, blue = colour
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return "black" if light > 100 else "white"

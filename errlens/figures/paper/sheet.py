"""Sheets of paper, laid out in pixels, that look the same whatever the user's matplotlib is set to.

There is no pyplot here, and no layout engine: all sizes follow from measured texts.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from errlens.errors import PictureTooLarge
from errlens.figures.paper.letters import font_families, shown_text
from errlens.figures.paper.places import PICTURES, Place

MOST_SIDE: Final = 2**16 - 1  # pixels that matplotlib draws
DPI: Final = 128  # a power of two: pixels / DPI * DPI is exact
PAD: Final = 16  # pixels around everything
GAP: Final = 10  # pixels between parts
LINE: Final = 1.25  # of the font size, from line to line
PITCH: Final = 1.13  # of the font size, from name to name
LEAST_TITLE: Final = 560  # pixels a title may take before it is wrapped

SMALL: Final = 7.0  # font sizes in points
TEXT: Final = 8.0
TITLE: Final = 11.0

INK: Final = "0.15"
DIM: Final = "0.4"
FAINT: Final = "0.93"

# Where lines may end: after a blank, else after a part of a name, else after any letter.
_ENDS: Final = tuple(
    map(
        re.compile,
        (r"(?<=\s)(?=[^\s%])", r"(?<=[_/])(?=\w)|(?<=\w[-.])(?=[^\W\d])", r"(?<=.)(?=.)"),
    )
)

Pixels = NDArray[np.uint8]  # (height, width, 3)
Segment = tuple[tuple[float, float], tuple[float, float]]


def house_style() -> AbstractContextManager[None]:
    """Return a context with matplotlib's defaults and our fonts, without mathtext.

    Drawings of lines have the same bytes whenever they are written.
    """
    own = {"font.family": font_families(), "text.parse_math": False, "text.color": INK}
    own["svg.hashsalt"] = "errlens"
    lines = {"axes.edgecolor": "0.6", "axes.linewidth": 0.6, "hatch.linewidth": 0.5}
    context: AbstractContextManager[None] = style.context(["default", {**own, **lines}])
    return context


def to_pixels(points: float) -> int:
    """Return a length in points as pixels of a sheet."""
    return round(points * DPI / 72)


def text_width(texts: Iterable[str], *, size: float) -> int:
    """Return the pixels that the widest of some lines takes; 0 without any."""
    return max((_width(text, size) for text in set(texts) if text), default=0)


def name_pitch(size: float) -> int:
    """Return the pixels from name to name where they stand as close as can be read."""
    return to_pixels(PITCH * size)


def line_height(size: float) -> int:
    """Return the pixels from one line of text to the next."""
    return to_pixels(LINE * size)


def wrapped(
    text: str, width: int, *, size: float, measure: Callable[..., int] | None = None
) -> list[str]:
    """Return a text in lines of at most `width` pixels, none of an empty one.

    Its own line breaks are kept. A line ends between words, though not before a %; where a word is
    wider than a line, between the parts of a name like `bull_terrier`; within one only where that
    does not fit either.
    `measure` says how wide lines are, by default `text_width`.
    """
    measure = measure or text_width
    lines: list[str] = []
    for part in map(shown_text, text.split("\n") if text else ()):
        if measure([part], size=size) <= width:
            lines.append(part)
            continue
        line = ""
        for piece in _pieces(part, lambda piece: measure([piece], size=size) <= width):
            if line and measure([(line + piece).rstrip()], size=size) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines += [line.rstrip()] if line.strip() else []
    return lines


def _pieces(text: str, fits: Callable[[str], bool], level: int = 0) -> Iterator[str]:
    """Yield the parts of a text between which lines may end, no smaller than need be."""
    for piece in _ENDS[level].split(text):
        if level == len(_ENDS) - 1 or fits(piece.rstrip()):
            yield piece
        else:
            yield from _pieces(piece, fits, level + 1)


class _StyledFigure(Figure):
    """A figure that keeps its looks when it is drawn or saved later, under the user's settings.

    `pictures` says where there are photos and colours on it, which a dark page leaves as they are.
    """

    pictures: Sequence[Place] = ()

    def draw(self, renderer: Any) -> None:
        with house_style():
            super().draw(renderer)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        if self.pictures and kwargs.get("format") != "svg":
            kwargs["metadata"] = {**kwargs.get("metadata", {}), PICTURES: json.dumps(self.pictures)}
        with house_style():
            super().savefig(*args, **kwargs)


class Sheet:
    """A page of `width` x `height` pixels; positions are pixels from its upper left corner.

    Texts and lines outside of the axes are put on `margins`, axes without a frame below all others.

    Raises:
        PictureTooLarge: matplotlib draws no picture of this size.
    """

    def __init__(self, width: int, height: int) -> None:
        if max(width, height) > MOST_SIDE:
            raise PictureTooLarge(width, height)
        self.width, self.height = width, height
        self.figure = _StyledFigure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self.margins = self.axes(0, 0, width, height)
        self.margins.set(xlim=(0, width), ylim=(height, 0))
        self.margins.set_axis_off()
        self.margins.set_zorder(-1)

    def finished(self) -> Figure:
        """Return the figure, with a renderer.

        It has none before: seaborn would render the figure with every heat map.
        """
        FigureCanvasAgg(self.figure)
        return self.figure

    def axes(self, x: int, y: int, width: int, height: int) -> Axes:
        """Add axes whose upper left corner is at `x`, `y`."""
        w, h = self.width, self.height
        return self.figure.add_axes((x / w, (h - y - height) / h, width / w, height / h))

    def blank(self) -> Pixels:
        """Return white pixels of the size of the sheet."""
        return np.full((self.height, self.width, 3), 255, np.uint8)

    def underlay(self, pixels: Pixels, pictures: Sequence[Place] = ()) -> None:
        """Put pixels of the size of the sheet below everything else.

        `pictures` says where in them there are photos and colours.
        """
        self.figure.pictures = pictures
        extent = (0, self.width, self.height, 0)
        self.margins.imshow(
            pixels, extent=extent, interpolation="nearest", aspect="auto", zorder=-1
        )

    def text(self, x: float, y: float, text: str, *, size: float = TEXT, **looks: Any) -> None:
        """Write a text, by default to the right of and below its position."""
        looks = {"ha": "left", "va": "top", "linespacing": 1.0, **looks}
        self.margins.text(x, y, text, fontsize=size, **looks)

    def unit(self, x: float, middle: float, lines: Sequence[str]) -> None:
        """Write the unit of a colour bar: upright, to the right of `x`, read from below."""
        looks: dict[str, Any] = {"rotation": 90, "va": "center", "ma": "center"}
        self.text(x, middle, "\n".join(lines), linespacing=LINE, **looks)

    def lines(self, segments: list[Segment], **looks: Any) -> None:
        """Draw straight lines."""
        looks = {"colors": INK, "linewidths": 0.8, "capstyle": "butt", **looks}
        self.margins.add_collection(LineCollection(segments, **looks), autolim=False)


class Title:
    """The title of a sheet, in as many lines as a content of `width` pixels needs."""

    def __init__(self, text: str, width: int) -> None:
        self.lines = wrapped(text, max(width, LEAST_TITLE), size=TITLE)
        self.width = text_width(self.lines, size=TITLE)
        self.height = line_height(TITLE) * len(self.lines)

    def draw(self, sheet: Sheet) -> None:
        """Write it into the upper left corner."""
        for number, line in enumerate(self.lines):
            y = PAD + number * line_height(TITLE)
            sheet.text(PAD, y, line, size=TITLE)


@lru_cache(maxsize=1)
def _ruler() -> RendererAgg:
    """Return a renderer that measures texts."""
    return RendererAgg(1, 1, DPI)


@lru_cache(maxsize=10_000)
def _width(text: str, size: float) -> int:
    """Return the pixels that a line takes; pictures of a call say much the same."""
    font = FontProperties(family=font_families(), size=size)
    width, _, _ = _ruler().get_text_width_height_descent(text, font, ismath=False)
    return int(width) + 1

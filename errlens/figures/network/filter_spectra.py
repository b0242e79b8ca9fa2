"""Bars of how much of each layer's filters is of low, middle and high spatial frequency."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from errlens.figures.paper.sheet import (
    DIM,
    FAINT,
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
from errlens.formats import share as as_share

# Okabe and Ito's colours, told apart by everybody.
COLOURS: Final = {"low": "#56b4e9", "middle": "#009e73", "high": "#e69f00", "aliasing": "#cc79a7"}
_BAR: Final = 14  # pixels high
_PITCH: Final = 19
_BANDS: Final = 300  # pixels of all energy
_ALIASING: Final = 110
_NETWORKS: Final = 36  # pixels between networks
_MARGIN: Final = 6  # pixels of a part that its number leaves free
_BOLD: Final = 1.15  # bold letters are wider
_SHAPE, _BEYOND = "kernel / stride", "beyond the stride"
_MARK: Final = (2, 3)  # pixels of a mark outside of a bar, and inside


class LayerBands(NamedTuple):
    """What is drawn of a layer: its name, its shape in words, and its shares.

    `bands` are low, middle and high, and `noise` those of noise; None where there are none.
    `aliasing` is the share beyond what the stride keeps, and that of noise. `dead` filters and
    those `alike` are told where there are any; None where it is not known.
    """

    name: str
    shape: str
    bands: tuple[float, float, float] | None
    noise: tuple[float, float, float] | None
    aliasing: tuple[float, float] | None
    dead: int
    alike: int | None
    suspicious: bool = False


class NetworkBands(NamedTuple):
    """The layers of a network, below its name; at least one."""

    name: str
    layers: Sequence[LayerBands]


def draw_spectra(networks: Sequence[NetworkBands], *, title: str, legend: str) -> Figure:
    """Draw a row for each layer: its bands, what aliases, and how many filters are dead or alike.

    Marks at the bars are where their parts would end if filters were noise.

    Args:
        networks: At least one; they stand side by side.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        columns = [_Columns(network) for network in networks]
        width = sum(each.width + _NETWORKS for each in columns) - _NETWORKS
        heading = Title(title, width)
        width = max(width, heading.width)
        legend_lines = wrapped(legend, width, size=TEXT)
        names = max(len(each.name) for each in columns) * line_height(TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        rows = max(len(each.layers) for each in columns)
        first = top + names + line_height(SMALL) + GAP
        sheet = Sheet(width + 2 * PAD, first + rows * _PITCH + PAD)
        heading.draw(sheet)
        for number, line in enumerate(legend_lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        x = PAD
        for each in columns:
            for number, line in enumerate(each.name):
                sheet.text(x, top + number * line_height(TEXT), line, fontweight="bold")
            each.draw(sheet, x, first)
            x += each.width + _NETWORKS
        return sheet.finished()


class _Columns:
    """Where the columns of a network are; its width in pixels."""

    def __init__(self, network: NetworkBands) -> None:
        self.layers = network.layers
        labels = text_width((layer.name for layer in self.layers), size=_BOLD * SMALL) + GAP
        shapes = text_width([_SHAPE, *(layer.shape for layer in self.layers)], size=SMALL) + GAP
        counts = text_width(["duplicates", "10,000"], size=SMALL) + 2 * GAP
        self._shape = labels
        self._bands = self._shape + shapes
        self._aliasing = self._bands + _BANDS + 2 * GAP
        beyond = text_width([_BEYOND], size=_BOLD * SMALL)
        self._dead = self._aliasing + max(_ALIASING, beyond) + counts // 2 + GAP
        self._alike = self._dead + counts
        self.width = self._alike
        self.name = wrapped(network.name, self.width, size=TEXT)

    def draw(self, sheet: Sheet, left: int, top: int) -> None:
        """Draw all rows, the first below a position, and what the columns are above it."""
        y = top - GAP // 2
        look: dict[str, Any] = {"size": SMALL, "color": DIM, "va": "bottom"}
        sheet.text(left, y, "layer", **look)
        sheet.text(left + self._shape, y, _SHAPE, **look)
        for share, band in ((0, "low"), (0.5, "middle"), (1, "high")):
            align = {0: "left", 0.5: "center", 1: "right"}[share]
            x = left + self._bands + share * _BANDS
            sheet.text(x, y, band, **{**look, "color": COLOURS[band]}, ha=align, weight="bold")
        colour = {**look, "color": COLOURS["aliasing"]}
        sheet.text(left + self._aliasing, y, _BEYOND, **colour, weight="bold")
        sheet.text(left + self._dead, y, "dead", **look, ha="right")
        sheet.text(left + self._alike, y, "duplicates", **look, ha="right")
        for row, layer in enumerate(self.layers):
            self._draw_layer(sheet, layer, left, top + row * _PITCH)

    def _draw_layer(self, sheet: Sheet, layer: LayerBands, left: int, y: int) -> None:
        look: dict[str, Any] = {"size": SMALL, "va": "center"}
        middle = y + _BAR / 2
        weight = "bold" if layer.suspicious else "normal"
        sheet.text(left, middle, layer.name, **look, weight=weight)
        sheet.text(left + self._shape, middle, layer.shape, **look, color=DIM)
        if layer.bands and layer.noise:
            parts = list(zip(layer.bands, ("low", "middle", "high"), strict=True))
            _bar(sheet, left + self._bands, y, _BANDS, parts)
            ends = (layer.noise[0], layer.noise[0] + layer.noise[1])
            _marks(sheet, left + self._bands, y, [end * _BANDS for end in ends])
        if layer.aliasing:
            share, noise = layer.aliasing
            _bar(sheet, left + self._aliasing, y, _ALIASING, [(share, "aliasing")])
            _marks(sheet, left + self._aliasing, y, [noise * _ALIASING])
        for n, x in ((layer.dead, self._dead), (layer.alike, self._alike)):
            if n:
                sheet.text(left + x, middle, count(n), **look, ha="right", weight=weight)


def _bar(sheet: Sheet, x: float, y: float, width: int, parts: Sequence[tuple[float, str]]) -> None:
    """Draw parts of a whole one after the other, each with its number where there is room."""
    looks: dict[str, Any] = {"linewidth": 0}
    sheet.margins.add_patch(Rectangle((x, y), width, _BAR, facecolor=FAINT, **looks))
    for share, name in parts:
        length = 0.0 if math.isnan(share) else share * width
        sheet.margins.add_patch(Rectangle((x, y), length, _BAR, facecolor=COLOURS[name], **looks))
        number = as_share(share)
        if length >= text_width([number], size=SMALL) + _MARGIN:
            sheet.text(x + length / 2, y + _BAR / 2, number, size=SMALL, ha="center", va="center")
        x += length


def _marks(sheet: Sheet, x: float, y: float, places: Sequence[float]) -> None:
    """Draw marks at both edges of a bar, so that they cross no number."""
    outside, inside = _MARK
    ends = ((y - outside, y + inside), (y + _BAR - inside, y + _BAR + outside))
    lines = [((x + at, top), (x + at, bottom)) for at in places for top, bottom in ends]
    sheet.lines(lines, linewidths=1.2)

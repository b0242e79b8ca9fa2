"""Maps over images beside each other, on one scale or each on its own."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Unpack

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.data.photos.preprocess import Box
from errlens.figures.maps.bars import LEAST_BAR, TICK, Bar, Shades, paste
from errlens.figures.maps.outline import outlined
from errlens.figures.maps.overlay import DEFAULT, ONE_COLOUR, RED_BLUE, common_scale, overlay
from errlens.figures.paper.distinct import Colour
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
    INK,
    PAD,
    SMALL,
    TEXT,
    Pixels,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
    to_pixels,
    wrapped,
)
from errlens.formats import significant

SIDE: Final = 224  # pixels of the longest side of a picture
LEAST: Final = 160  # pixels a panel is wide, for its texts
ACROSS: Final = 6  # panels in a row, at most
BETWEEN: Final = 20  # pixels between panels, and between rows
ABOVE: Final = 3  # pixels between a heading and its picture
BASE: Final = 0.95  # of the font size, from the top of a line to what its letters stand on
WEAK: Final = 0.2  # of a shared scale: what stays below is hard to see
SWATCH: Final = 9  # pixels a side of a colour in a legend

_MEANING: Final = {
    RED_BLUE: "red: for, blue: against",
    ONE_COLOUR: "purple: strong, for or against",
}


class Panel(NamedTuple):
    """A map of shape (h, w) over the image, or without one the image itself.

    `heading` is above, `detail` below; both are wrapped, and keep their own line breaks. `image` is
    the panel's own, shape (H, W, 3), where panels show different ones, and `box` where in it the
    map lies, as `overlay` has it. A `legend` names colours. A map is `signed` if its method can
    give negative values, whether there is one or not.
    """

    heading: str
    values: NDArray[np.float32] | None
    detail: str = ""
    image: Pixels | None = None
    box: Box | None = None
    legend: tuple[tuple[Colour, str], ...] = ()
    signed: bool = True


def draw_heatmaps(
    image: Pixels | None,
    panels: Sequence[Panel],
    *,
    title: str,
    unit: str | None,
    subtitle: str = "",
    side: int = SIDE,
    explained: bool = True,
    **shades: Unpack[Shades],
) -> Figure:
    """Draw maps: up to six in a row, more in rows of the same length.

    Args:
        image: Of panels without one of their own, shape (H, W, 3). It is shown with its longest
            side at most `side` pixels; a smaller one in whole multiples, so that its pixels can be
            seen.
        panels: At least one.
        title: Long ones are wrapped.
        unit: What all maps are measured in: they share one scale, with its colour bar to the right,
            and it is noted below those that are weak on it. None if their units differ: then each
            has a scale and a colour bar of its own, which begins at zero where it is not `signed`.
            A bar ends at the largest value there is, or says what lies beyond.
        subtitle: Below the title, wrapped.
        side: In pixels.
        explained: Outline the strongest area of each map, and say what colours and lines mean.
        shades: As for `overlay`.
    """
    with house_style():
        layout = _HeatmapLayout(image, panels, unit, side, shades, outline=explained)
        heading = Title(title, layout.width)
        width = max(layout.width, heading.width)
        key = _key(panels, shades, shared=unit is not None) if explained else ""
        subtitle_lines = wrapped("\n".join(filter(None, (subtitle, key))), width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(subtitle_lines) + GAP
        width = max(width, text_width(subtitle_lines, size=TEXT))
        sheet = Sheet(width + 2 * PAD, top + layout.height + PAD)
        heading.draw(sheet)
        _write(sheet, PAD, PAD + heading.height, subtitle_lines, colour=DIM)
        layout.draw(sheet, PAD, top)
        return sheet.finished()


class _DrawnPanel:
    """A panel as it is drawn: its texts in lines, and a colour bar of its own or none."""

    def __init__(self, panel: Panel, pixels: Pixels, width: int, bar: Bar | None) -> None:
        self.heading = wrapped(panel.heading, width, size=TEXT)
        self.pixels = pixels
        self._bar = bar
        self._detail = wrapped(panel.detail, width, size=SMALL)
        room = width - SWATCH - TICK
        self._legend = [(colour, wrapped(text, room, size=SMALL)) for colour, text in panel.legend]
        lines = len(self._detail) + sum(len(text) for _, text in self._legend)
        bar_height = bar.height + GAP if bar else 0
        self.below = GAP // 2 + bar_height + line_height(SMALL) * lines

    def draw(self, sheet: Sheet, paper: Pixels, x: int, y: int) -> list[Place]:
        """Draw it, its picture's upper left corner at a place; return where there are colours."""
        _write(sheet, x, y - _height_above([self]), self.heading)
        places = [paste(paper, self.pixels, x, y)]
        y += self.pixels.shape[0] + GAP // 2
        if self._bar:
            places.append(self._bar.draw(sheet, paper, x, y))
            y += self._bar.height + GAP // 2
        _write(sheet, x, y, self._detail, size=SMALL, colour=DIM)
        y += line_height(SMALL) * len(self._detail)
        for colour, lines in self._legend:
            top = y + (line_height(SMALL) - SWATCH) // 2
            swatch = np.full((SWATCH, SWATCH, 3), colour, np.uint8)
            places.append(paste(paper, swatch, x, top))
            _write(sheet, x + SWATCH + TICK, y, lines, size=SMALL, colour=DIM)
            y += line_height(SMALL) * len(lines)
        return places


class _HeatmapLayout:
    """Where all panels are; width and height in pixels."""

    def __init__(
        self,
        image: Pixels | None,
        panels: Sequence[Panel],
        unit: str | None,
        side: int,
        shades: Shades,
        *,
        outline: bool,
    ) -> None:
        maps = [panel.values for panel in panels if panel.values is not None]
        shared = common_scale(maps) if unit is not None and maps else None
        panels = [_noted(panel, shared) for panel in panels]
        pictures = [_picture(panel, image, shared, side, shades, outline) for panel in panels]
        self._cell = max(LEAST, *(picture.shape[1] for picture in pictures))
        cells = [
            self._planned(panel, pixels, shared, shades)
            for panel, pixels in zip(panels, pictures, strict=True)
        ]
        across = -(-len(cells) // -(-len(cells) // ACROSS))
        self._rows = [cells[at : at + across] for at in range(0, len(cells), across)]
        self._maps = across * (self._cell + BETWEEN)
        length = max(_high(self._rows[0]), LEAST_BAR)
        self._bar = Bar(length, maps, shades, unit) if shared else None
        self.width = self._maps + (self._bar.width if self._bar else -BETWEEN)
        bar = _height_above(self._rows[0]) + (self._bar.height if self._bar else 0)
        self.height = max(bar, sum(map(self._height, self._rows)) - BETWEEN)

    def _planned(
        self, panel: Panel, pixels: Pixels, shared: float | None, shades: Shades
    ) -> _DrawnPanel:
        bar = None
        if panel.values is not None and not shared:
            bar = Bar(self._cell, [panel.values], _own(shades, panel), None)
        return _DrawnPanel(panel, pixels, self._cell, bar)

    def _height(self, row: Sequence[_DrawnPanel]) -> int:
        return _height_above(row) + _high(row) + max(cell.below for cell in row) + BETWEEN

    def draw(self, sheet: Sheet, left: int, top: int) -> None:
        """Put everything on a sheet."""
        paper, places = sheet.blank(), []
        if self._bar:
            upper = top + _height_above(self._rows[0])
            places.append(self._bar.draw(sheet, paper, left + self._maps, upper))
        for row in self._rows:
            for place, cell in enumerate(row):
                x = left + place * (self._cell + BETWEEN)
                places += cell.draw(sheet, paper, x, top + _height_above(row))
            top += self._height(row)
        sheet.underlay(paper, places)


def _picture(
    panel: Panel,
    image: Pixels | None,
    shared: float | None,
    side: int,
    shades: Shades,
    outline: bool,  # noqa: FBT001
) -> Pixels:
    """Return a panel's image with its map, as large as it is shown."""
    own = image if panel.image is None else panel.image
    if own is None:
        raise ValueError("a panel has no image")
    if panel.values is None:
        return _fitted(own, side)
    scale = shared or common_scale([panel.values])
    shades = shades if shared else _own(shades, panel)
    # Resized afterwards: a small photo's pixels have one colour each, with a map as without.
    shown = _fitted(overlay(own, panel.values, scale=scale, box=panel.box, **shades), side)
    if not outline:
        return shown
    larger = shown.shape[1] / own.shape[1], shown.shape[0] / own.shape[0]
    box = None if panel.box is None else _scaled(panel.box, *larger)
    upsampling = shades.get("upsampling", "bilinear")
    return outlined(shown, panel.values, box=box, upsampling=upsampling)


def _scaled(box: Box, across: float, down: float) -> Box:
    left, top, right, bottom = box
    return left * across, top * down, right * across, bottom * down


def _key(panels: Sequence[Panel], shades: Shades, *, shared: bool) -> str:
    """Say what colours and lines mean, as far as there are any."""
    maps = [panel for panel in panels if panel.values is not None]
    if not maps:
        return ""
    signed = {shades.get("signed", True) and (shared or panel.signed) for panel in maps}
    texts = [
        _MEANING[name]
        for sign in (True, False)
        if sign in signed
        if (name := shades.get("colormap") or DEFAULT[sign]) in _MEANING
    ]
    dashes = ", dashed where it speaks against" * (True in signed)
    return "; ".join([*dict.fromkeys(texts), f"outlined: the strongest fifth{dashes}"])


def _own(shades: Shades, panel: Panel) -> Shades:
    """Return how a map is coloured that has a scale of its own."""
    return {**shades, "signed": shades.get("signed", True) and panel.signed}


def _noted(panel: Panel, shared: float | None) -> Panel:
    """Return a panel that says how weak it is, where its colours hardly do."""
    if panel.values is None or shared is None:
        return panel
    most = float(np.abs(panel.values).max())
    if most >= WEAK * shared:
        return panel
    note = f"weak: at most {significant(most)}"
    return panel._replace(detail=f"{panel.detail}\n{note}" if panel.detail else note)


def _high(cells: Iterable[_DrawnPanel]) -> int:
    """Return the pixels that the pictures of a row take."""
    return max(len(cell.pixels) for cell in cells)


def _fitted(pixels: Pixels, side: int) -> Pixels:
    """Return a picture in whole multiples of its size, or smaller, in a square of `side` pixels."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= side:
        return pixels.repeat(side // longest, axis=0).repeat(side // longest, axis=1)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _height_above(cells: Iterable[_DrawnPanel]) -> int:
    """Return the pixels that the headings of a row take."""
    return ABOVE + line_height(TEXT) * max(len(cell.heading) for cell in cells)


def _write(
    sheet: Sheet, x: int, y: int, lines: Iterable[str], *, size: float = TEXT, colour: str = INK
) -> None:
    """Write lines that all stand on their base line, whether they have a letter below it or not."""
    for number, line in enumerate(lines):
        base = y + number * line_height(size) + to_pixels(BASE * size)
        sheet.text(x, base, line, size=size, va="baseline", color=colour)

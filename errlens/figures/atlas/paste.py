"""What patches pasted into photos do: curves by their size, and photos before and after."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.maps.bars import paste
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
    wrapped,
)

SUSPECT_COLOUR: Final = "#d55e00"
NOISE_COLOUR: Final = "#0072b2"
CROP_COLOUR: Final = "0.6"
_WIDTH, _HEIGHT = 250, 150  # pixels of a panel
_TICKS: Final = 40  # pixels for the numbers of an axis, at its left
_BELOW: Final = 40  # pixels for those below, and what is measured
_TILE: Final = 56  # pixels of a patch
_TILES: Final = 6  # patches in a row
_PHOTO: Final = 132  # pixels of a photo in an example
_LARGE: Final = 250  # pixels of a photo that stands alone
_KEY: Final = 22
_LEAST: Final = 0.02  # where the scale of a probability ends at least


class Curve(NamedTuple):
    """What one patch does by its size, shape (s,) each; `low` and `high` bound the `rate`."""

    colour: str
    rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    probability: NDArray[np.float64]


class Photo(NamedTuple):
    """A photo, or a patch, uint8 of shape (height, width, 3), and what to write below it."""

    pixels: Pixels
    caption: str


class SuspectPanels(NamedTuple):
    """What is drawn of a suspect.

    `curves` are of the suspect first, then of its controls. `examples` are photos before and after.
    """

    heading: str
    patches: Sequence[Photo]
    sizes: NDArray[np.float64]
    curves: Sequence[Curve]
    examples: Sequence[tuple[Photo, Photo]]


def draw_pasting(
    suspects: Sequence[SuspectPanels], *, to_class: str, title: str, legend: str
) -> Figure:
    """Draw a row of each suspect: its patches, both curves, and examples.

    Args:
        suspects: At least one.
        to_class: The class that they are suspected of raising.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        columns = max(len(suspect.examples) for suspect in suspects)
        panels = _tiles_width() + 2 * (GAP + _TICKS + _WIDTH)
        width = panels + columns * (2 * GAP + _PHOTO)
        heading = Title(title, width)
        width = max(width, heading.width)
        told = wrapped(legend, width, size=TEXT)
        rows = [_Row(suspect, width) for suspect in suspects]
        top = PAD + heading.height + line_height(TEXT) * (len(told) + 1) + 2 * GAP
        sheet = Sheet(width + 2 * PAD, top + sum(row.height + 2 * GAP for row in rows) + PAD)
        heading.draw(sheet)
        _write(sheet, PAD, PAD + heading.height, told)
        _draw_key(sheet, top - line_height(TEXT) - GAP)
        paper, places = sheet.blank(), []
        highest = _highest([curve for suspect in suspects for curve in suspect.curves])
        for row in rows:
            places += row.draw(sheet, paper, top, to_class, highest)
            top += row.height + 2 * GAP
        sheet.underlay(paper, places)
        return sheet.finished()


def draw_before_after(photos: Sequence[Photo], *, title: str, legend: str) -> Figure:
    """Draw a photo as it is and with a patch, side by side; more of them below, three a row.

    Args:
        photos: That as it is first.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    across = min(3, len(photos))
    with house_style():
        width = across * _LARGE + (across - 1) * GAP
        heading = Title(title, width)
        width = max(width, heading.width)
        told = wrapped(legend, width, size=TEXT)
        shown = [fitted(photo.pixels, _LARGE) for photo in photos]
        captions = [wrapped(photo.caption, _LARGE, size=TEXT) for photo in photos]
        high = max(len(pixels) for pixels in shown)
        high += line_height(TEXT) * max(map(len, captions)) + GAP
        top = PAD + heading.height + line_height(TEXT) * len(told) + GAP
        rows = -(-len(photos) // across)
        sheet = Sheet(width + 2 * PAD, top + rows * (high + GAP) + PAD)
        heading.draw(sheet)
        _write(sheet, PAD, PAD + heading.height, told)
        paper, places = sheet.blank(), []
        for number, (pixels, caption) in enumerate(zip(shown, captions, strict=True)):
            row, column = divmod(number, across)
            x, y = PAD + column * (_LARGE + GAP), top + row * (high + GAP)
            places.append(paste(paper, pixels, x, y))
            _write(sheet, x, y + len(pixels) + GAP // 2, caption, color=INK)
        sheet.underlay(paper, places)
        return sheet.finished()


def fitted(pixels: Pixels, side: int) -> Pixels:
    """Return a picture resized so that its longer side has so many pixels."""
    by = side / max(pixels.shape[:2])
    height, width = (max(1, round(length * by)) for length in pixels.shape[:2])
    how = Image.Resampling.NEAREST if by > 3 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize((width, height), how))


class _Row:
    """The row of one suspect; `height` in pixels."""

    def __init__(self, suspect: SuspectPanels, width: int) -> None:
        self._suspect = suspect
        self._heading = wrapped(suspect.heading, width, size=TEXT)
        self._examples = [
            [(fitted(photo.pixels, _PHOTO), wrapped(photo.caption, _PHOTO, size=SMALL))
             for photo in pair]
            for pair in suspect.examples
        ]  # fmt: skip
        tiles = -(-len(suspect.patches) // 2) * (_TILE + _caption_height() + GAP // 2)
        photos = max((sum(map(_height_of, pair)) for pair in self._examples), default=0)
        self._above = line_height(TEXT) * (len(self._heading) + 1) + GAP
        self.height = self._above + max(tiles, photos, _HEIGHT + _BELOW)

    def draw(
        self, sheet: Sheet, paper: Pixels, top: int, to_class: str, highest: tuple[float, float]
    ) -> list[Place]:
        """Put everything on a sheet, with these ends of both scales; return where photos are."""
        suspect = self._suspect
        _write(sheet, PAD, top, self._heading, color=INK)
        y = top + self._above
        places = self._draw_patches(sheet, paper, y)
        x = PAD + _tiles_width() + GAP + _TICKS
        rates = [(curve, curve.rate) for curve in suspect.curves]
        raised = [(curve, curve.probability) for curve in suspect.curves]
        heads = (f"taken for {to_class}", f"probability of {to_class}")
        for head, values, end in zip(heads, (rates, raised), highest, strict=True):
            line = wrapped(head, _WIDTH, size=TEXT)[0]
            sheet.text(x, y - line_height(TEXT) - 2, line, fontweight="bold")
            axes = sheet.axes(x, y, _WIDTH, _HEIGHT)
            _draw_curves(axes, suspect.sizes, values, intervals=values is rates)
            axes.set_ylim(0, end)
            x += _WIDTH + GAP + _TICKS
        x += GAP - _TICKS
        for pair in self._examples:
            below = y
            for pixels, caption in pair:
                places.append(paste(paper, pixels, x, below))
                for number, line in enumerate(caption):
                    at = below + len(pixels) + 3 + number * line_height(SMALL)
                    sheet.text(x, at, line, size=SMALL, color=INK)
                below += _height_of((pixels, caption))
            x += _PHOTO + 2 * GAP
        return places

    def _draw_patches(self, sheet: Sheet, paper: Pixels, top: int) -> list[Place]:
        places = []
        for number, patch in enumerate(self._suspect.patches):
            row, column = divmod(number, 2)
            x = PAD + column * (_tile_pitch())
            y = top + row * (_TILE + _caption_height() + GAP // 2)
            pixels = fitted(patch.pixels, _TILE)
            places.append(paste(paper, pixels, x, y))
            line = wrapped(patch.caption, _tile_pitch() - 4, size=SMALL)
            sheet.text(x, y + len(pixels) + 3, line[0] if line else "", size=SMALL, color=DIM)
        return places


def _highest(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return where the scales of rates and of probabilities end, the same for all suspects."""
    rate = max(float(np.max([curve.rate, curve.high])) for curve in curves)
    probability = max(float(curve.probability.max()) for curve in curves)
    return min(1.02, 1.1 * rate), min(1.02, 1.1 * max(probability, _LEAST))


def _tile_pitch() -> int:
    return 96


def _tiles_width() -> int:
    return 2 * _tile_pitch()


def _caption_height() -> int:
    return line_height(SMALL) + 3


def _height_of(photo: tuple[Pixels, Sequence[str]]) -> int:
    pixels, caption = photo
    return len(pixels) + line_height(SMALL) * len(caption) + GAP


def _draw_curves(
    axes: Axes,
    sizes: NDArray[np.float64],
    curves: Sequence[tuple[Curve, NDArray[np.float64]]],
    *,
    intervals: bool,
) -> None:
    for curve, values in reversed(curves):
        plain = curve.colour == CROP_COLOUR
        looks: dict[str, Any] = {"linewidth": 0.8 if plain else 1.5, "clip_on": False}
        axes.plot(
            sizes, values, color=curve.colour, marker="o", markersize=2 if plain else 3, **looks
        )
        if intervals and not plain:
            axes.fill_between(
                sizes, curve.low, curve.high, color=curve.colour, alpha=0.15, linewidth=0
            )
    axes.set_xlim(0, max(float(sizes.max()), 0.05))
    axes.tick_params(labelsize=SMALL, color="0.6", labelcolor=DIM, length=2)
    axes.locator_params(axis="both", nbins=5)
    axes.set_xlabel("size of the patch", fontsize=SMALL, color=INK, labelpad=2)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_key(sheet: Sheet, top: int) -> None:
    x = PAD
    for colour, words in (
        (SUSPECT_COLOUR, "the patch"),
        (NOISE_COLOUR, "noise of its colours"),
        (CROP_COLOUR, "crops of other classes, a line each"),
    ):
        middle = top + line_height(TEXT) / 2
        sheet.lines([((x, middle), (x + _KEY - 5, middle))], colors=colour, linewidths=1.8)
        sheet.text(x + _KEY, middle, words, va="center")
        x += _KEY + text_width([words], size=TEXT) + 2 * GAP


def _write(sheet: Sheet, x: int, y: int, lines: Sequence[str], **looks: Any) -> None:
    for number, line in enumerate(lines):
        sheet.text(x, y + number * line_height(TEXT), line, **{"color": DIM, **looks})

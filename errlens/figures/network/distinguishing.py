"""Channels that tell two classes apart: how they fire on each, and where in wrong images."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.gallery import COLOURS, Correctness
from errlens.figures.maps.overlay import overlay
from errlens.figures.paper.letters import shown_text
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
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
from errlens.formats import significant

SIDE: Final = 128  # pixels of an image
ALPHA: Final = 0.75  # of a map at its highest
_SCALE: Final = 340  # pixels from the lowest to the highest value
_STRIP: Final = 26  # pixels of one group of images
_FEW: Final = 40  # images that are shown as a dot each
_DOT: Final = 2.2  # points
_SHARES: Final = (5, 25, 50, 75, 95)  # per cent of a group's images


class GroupValues(NamedTuple):
    """What a channel gives on a group of images: its name, and a value of each."""

    name: str
    correctness: Correctness
    values: NDArray[np.float32]


class WrongImage(NamedTuple):
    """An image as fed, shape (H, W, 3), with a channel's map, the cell of its highest, and words.

    `map` has the shape (rows, columns), `cell` is (row, column).
    """

    image: Pixels
    map: NDArray[np.float32]
    cell: tuple[int, int]
    caption: str


class ChannelFigures(NamedTuple):
    """What is drawn of one channel: a heading, the lines below it, its groups and images."""

    heading: str
    facts: Sequence[str]
    groups: Sequence[GroupValues]
    images: Sequence[WrongImage]


def draw_distinguishing(
    channels: Sequence[ChannelFigures], *, title: str, legend: str, signed: bool
) -> Figure:
    """Draw a band for each channel: groups of images on one axis, and wrong images beside them.

    Of a group, the thin line holds the middle 90 % of the images, the thick one the middle half,
    and the tick is the median; of few images, each is a dot.

    Args:
        channels: At least one.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
        signed: Whether values below zero mean something.
    """
    with house_style():
        names = [group.name for channel in channels for group in channel.groups]
        labels = text_width(map(shown_text, names), size=SMALL) + GAP
        left = labels + _SCALE + 3 * GAP
        most = max(1, *(len(channel.images) for channel in channels))
        width = max(left + most * (SIDE + GAP), left)
        heading = Title(title, width)
        legend_lines = wrapped(legend, width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(legend_lines) + 2 * GAP
        heights = [_height(channel) for channel in channels]
        total = top + sum(heights) + 2 * GAP * (len(channels) - 1) + PAD
        sheet = Sheet(max(width, heading.width) + 2 * PAD, total)
        heading.draw(sheet)
        for number, line in enumerate(legend_lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        paper, pictures, y = sheet.blank(), [], top
        for channel, height in zip(channels, heights, strict=True):
            _draw_groups(sheet, channel, y, labels)
            pictures += _draw_images(sheet, paper, channel, PAD + left, y, signed=signed)
            y += height + 2 * GAP
        sheet.underlay(paper, pictures)
        return sheet.finished()


def _height(channel: ChannelFigures) -> int:
    head = line_height(TEXT) + line_height(SMALL) * len(channel.facts)
    strips = head + _STRIP * len(channel.groups) + line_height(SMALL)
    captions = max((len(_caption(image)) for image in channel.images), default=0)
    return max(strips, SIDE + line_height(SMALL) * captions)


def _caption(image: WrongImage) -> list[str]:
    return wrapped(image.caption, SIDE, size=SMALL)


def _draw_groups(sheet: Sheet, channel: ChannelFigures, top: int, labels: int) -> None:
    """Draw what a channel gives on each group, on one axis."""
    sheet.text(PAD, top, channel.heading, size=TEXT, weight="bold")
    y = top + line_height(TEXT)
    for line in channel.facts:
        sheet.text(PAD, y, line, size=SMALL, color=DIM)
        y += line_height(SMALL)
    values = np.concatenate([group.values for group in channel.groups])
    low, high = min(0.0, float(values.min())), float(values.max())
    start, span = PAD + labels, (high - low) or 1.0

    def place(value: float) -> float:
        return start + (value - low) / span * _SCALE

    for group in channel.groups:
        middle = y + _STRIP / 2
        colour = tuple(part / 255 for part in COLOURS[group.correctness])
        sheet.text(PAD + labels - GAP, middle, group.name, size=SMALL, ha="right", va="center")
        if len(group.values) <= _FEW:
            dots = [place(float(value)) for value in group.values]
            sheet.margins.plot(
                dots, [middle] * len(dots), "o", markersize=2 * _DOT, color=colour, alpha=0.6
            )
        else:
            shares = np.percentile(group.values, _SHARES)
            end_low, low_half, median, high_half, end_high = map(place, map(float, shares))
            sheet.lines([((end_low, middle), (end_high, middle))], colors=[colour], linewidths=1.2)
            sheet.lines([((low_half, middle), (high_half, middle))], colors=[colour], linewidths=5)
            sheet.lines([((median, middle - 7), (median, middle + 7))], linewidths=1.6)
        y += _STRIP
    sheet.lines([((start, y), (start + _SCALE, y))], colors=DIM, linewidths=0.6)
    for value, align in ((low, "left"), (high, "right")):
        sheet.text(place(value), y + 2, significant(value), size=SMALL, color=DIM, ha=align)


def _draw_images(
    sheet: Sheet, paper: Pixels, channel: ChannelFigures, x: int, y: int, *, signed: bool
) -> list[Place]:
    """Draw wrong images with the map of a channel, all on its scale; return where they are."""
    scale = max((float(np.abs(image.map).max()) for image in channel.images), default=0.0) or 1.0
    places: list[Place] = []
    if not channel.images:
        sheet.text(x, y, "it fires in no wrong image", size=SMALL, color=DIM)
    for image in channel.images:
        small = Image.fromarray(image.image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        over = overlay(np.asarray(small), image.map, scale=scale, alpha=ALPHA, signed=signed)
        paper[y : y + SIDE, x : x + SIDE] = over
        places.append((x, y, x + SIDE, y + SIDE))
        rows, columns = image.map.shape
        row, column = image.cell
        for colour, width in (("white", 2.4), ("black", 1.0)):
            sheet.margins.add_patch(
                Rectangle(
                    (x + column * SIDE / columns, y + row * SIDE / rows),
                    SIDE / columns,
                    SIDE / rows,
                    fill=False,
                    edgecolor=colour,
                    linewidth=width,
                )
            )
        for number, line in enumerate(_caption(image)):
            sheet.text(x, y + SIDE + 2 + number * line_height(SMALL), line, size=SMALL)
        x += SIDE + GAP
    return places

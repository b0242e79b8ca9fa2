"""Photos as a network is fed them, then with parts of them hidden, one below the other.

The upper half of figure 8 of M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional
Networks", ECCV 2014.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from errlens.figures.paper.letters import shown_name
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
    wrapped,
)

TILE: Final = 132  # pixels of the longer side of a photo
_BESIDE: Final = 130  # pixels for what rows are
_PALE: Final = 238  # the grey where there is no photo


class Row(NamedTuple):
    """What was done to the photos, and they, None of one that it was not done to.

    `below` is written below each.
    """

    name: str
    photos: Sequence[Pixels | None]
    below: Sequence[str]


def draw_hidden_parts(
    rows: Sequence[Row], *, names: Sequence[str], title: str, legend: str
) -> Figure:
    """Draw a column for each photo, a row for each thing done to it.

    Args:
        rows: At least one, each with a photo for each name.
        names: Of the photos.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        pitch = TILE + GAP
        width = _BESIDE + len(names) * pitch - GAP
        heading = Title(title, width)
        lines = wrapped(legend, max(width, heading.width), size=TEXT)
        heads = [wrapped(shown_name(name), TILE, size=SMALL) for name in names]
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        first = top + line_height(SMALL) * max(map(len, heads)) + GAP // 2
        down = TILE + line_height(SMALL) + GAP
        sheet = Sheet(max(width, heading.width) + 2 * PAD, first + len(rows) * down + PAD - GAP)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            sheet.text(PAD, PAD + heading.height + number * line_height(TEXT), line, color=DIM)
        paper, pictures = sheet.blank(), []
        for column, head in enumerate(heads):
            for number, line in enumerate(head):
                y = first - GAP // 2 - (len(head) - number) * line_height(SMALL)
                sheet.text(PAD + _BESIDE + column * pitch, y, line, size=SMALL)
        for number, row in enumerate(rows):
            y = first + number * down
            for at, line in enumerate(wrapped(shown_name(row.name), _BESIDE - GAP, size=TEXT)):
                sheet.text(PAD, y + at * line_height(TEXT), line)
            for column, (photo, below) in enumerate(zip(row.photos, row.below, strict=True)):
                x = PAD + _BESIDE + column * pitch
                paper[y : y + TILE, x : x + TILE] = _tile(photo)
                pictures.append((x, y, x + TILE, y + TILE))
                sheet.text(x, y + TILE + 2, below, size=SMALL, color=DIM)
        sheet.underlay(paper, pictures)
        return sheet.finished()


def _tile(photo: Pixels | None) -> Pixels:
    """Return a photo as a square, its pixels squares where they are few."""
    tile = np.full((TILE, TILE, 3), _PALE, np.uint8)
    if photo is None:
        return tile
    height, width = photo.shape[:2]
    scale = TILE / max(height, width)
    fits = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = max(height, width) <= TILE // 2
    how = Image.Resampling.NEAREST if coarse else Image.Resampling.LANCZOS
    left, top = (TILE - fits[0]) // 2, (TILE - fits[1]) // 2
    shown = Image.fromarray(photo).resize(fits, how)
    tile[top : top + fits[1], left : left + fits[0]] = np.asarray(shown)
    return tile

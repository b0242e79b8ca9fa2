"""The strongest image of channels at each checkpoint: channels as rows, checkpoints as columns.

As in figure 4 of M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks",
ECCV 2014.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from matplotlib.figure import Figure

from errlens.figures.gallery import COLOURS
from errlens.figures.network.feature_sheets import BETWEEN, PALE, TILE, SmallTexts, square_tile
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
from errlens.figures.paper.writing import written_width

_COLUMNS: Final = 14  # pixels between checkpoints
_ROWS: Final = 10  # pixels between channels
_JUMP: Final = (4, 6)  # pixels: how wide the bar of a jump is, and how far left of its pictures
_LINES: Final = 2  # below a picture


class Moment(NamedTuple):
    """A channel at a checkpoint: its strongest patch, its projection if there is one, and words.

    Both are uint8 of shape (h, w, 3); without a `photo` the channel never fires. It is a `jump`
    where the image is another one than before.
    """

    photo: Pixels | None
    projection: Pixels | None
    lines: Sequence[str]
    jump: bool = False


class Row(NamedTuple):
    """A channel: its name, and a moment for each checkpoint."""

    name: str
    moments: Sequence[Moment]


def draw_evolution(
    rows: Sequence[Row], checkpoints: Sequence[str], *, title: str, legend: str
) -> Figure:
    """Draw the strongest image of each channel over the training, projections at the left.

    Args:
        rows: At least one.
        checkpoints: What they are called.
        title: Long ones are wrapped.
        legend: How to read it, below the title.
    """
    with house_style():
        projected = any(each.projection is not None for row in rows for each in row.moments)
        cell = 2 * TILE + BETWEEN if projected else TILE
        labels = text_width((row.name for row in rows), size=SMALL) + 2 * GAP
        width = labels + len(checkpoints) * (cell + _COLUMNS) - _COLUMNS
        heading = Title(title, width)
        width = max(width, heading.width)
        legend_lines = wrapped(legend, width, size=TEXT)
        heads = [_fitted(name, cell + _COLUMNS - GAP // 2) for name in checkpoints]
        top = PAD + heading.height + line_height(TEXT) * len(legend_lines) + GAP
        first = top + line_height(SMALL) + GAP // 2
        pitch = TILE + _LINES * line_height(SMALL) + _ROWS
        sheet = Sheet(width + 2 * PAD, first + pitch * len(rows) - _ROWS + PAD)
        heading.draw(sheet)
        for number, line in enumerate(legend_lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, color=DIM)
        paper, texts = sheet.blank(), SmallTexts(sheet)
        lefts = [PAD + labels + at * (cell + _COLUMNS) for at in range(len(checkpoints))]
        for name, left in zip(heads, lefts, strict=True):
            texts.line(name, left, top)
        places: list[Place] = []
        for number, row in enumerate(rows):
            y = first + number * pitch
            texts.line(row.name, PAD, y + TILE // 2 - line_height(SMALL) // 2)
            for moment, left in zip(row.moments, lefts, strict=True):
                places.append(_draw(moment, paper, texts, (left, y), cell))
        sheet.underlay(paper, places)
        texts.finish()
        return sheet.finished()


def _draw(
    moment: Moment, paper: Pixels, texts: SmallTexts, corner: tuple[int, int], cell: int
) -> Place:
    """Draw a moment to the right of and below a corner; return where its pictures are."""
    x, y = corner
    paper[y : y + TILE, x : x + cell] = PALE
    if moment.photo is not None:
        at = x
        if moment.projection is not None:
            paper[y : y + TILE, at : at + TILE] = square_tile(moment.projection)
            paper[y : y + TILE, at + TILE : at + TILE + BETWEEN] = 255
            at += TILE + BETWEEN
        paper[y : y + TILE, at : at + TILE] = square_tile(moment.photo)
    if moment.jump:
        wide, before = _JUMP
        paper[y : y + TILE, x - before : x - before + wide] = COLOURS["wrong"]
    for number, line in enumerate(moment.lines[:_LINES]):
        below = y + TILE + number * line_height(SMALL)
        texts.line(_fitted(line, cell + _COLUMNS - GAP // 2), x, below, dim=number > 0)
    return (x, y, x + cell, y + TILE)


def _fitted(text: str, width: int) -> str:
    """Return a text as far as it fits into a width."""
    lines = wrapped(shown_text(text), width, size=SMALL, measure=written_width)
    return lines[0] if lines else ""

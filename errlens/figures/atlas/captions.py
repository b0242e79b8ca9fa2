"""Where captions of marked cells stand: beside their cell, and not upon one another."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import GAP, TEXT, line_height, text_width, wrapped

WIDEST: Final = 280  # pixels of a line
_APART: Final = 6  # pixels between a cell and its caption


class Caption(NamedTuple):
    """A caption in lines, and the box that it takes on the sheet."""

    lines: Sequence[str]
    box: Place


def placed(
    marks: Sequence[tuple[Place, str]], cells: Sequence[Place], around: Place
) -> list[Caption]:
    """Return captions below, above, right or left of their cells, all of them on the map.

    The first place counts that covers no cell at all; else the corner of the own cell where the
    caption is small beside it, such as a rank; else the first place that covers no marked cell. In
    any case it covers no caption before it, if there is such a place.

    Args:
        marks: Cells and what is said of them.
        cells: All cells of the map.
        around: The map.
    """
    captions: list[Caption] = []
    for cell, text in marks:
        lines = wrapped(text, min(WIDEST, around[2] - around[0] - GAP), size=TEXT)
        before = [caption.box for caption in captions]
        spots = [_moved_in(box, around) for box in _beside(cell, lines)]
        free = [
            *_free(spots, [*cells, *before]),
            *_free(_within(cell, lines), before),
            *_free(spots, [*(box for box, _ in marks), *before]),
        ]
        captions.append(Caption(lines, (free or spots)[0]))
    return captions


def _free(spots: Sequence[Place], taken: Sequence[Place]) -> list[Place]:
    return [box for box in spots if not any(_meet(box, other) for other in taken)]


def _within(cell: Place, lines: Sequence[str]) -> list[Place]:
    """Return the upper left corner of a cell, where lines take at most a third of each side."""
    left, top, right, bottom = cell
    width, height = _size(lines)
    small = 3 * width <= right - left and 3 * height <= bottom - top
    return [(left, top, left + width, top + height)] if small else []


def _size(lines: Sequence[str]) -> tuple[int, int]:
    """Return the width and the height of the box of a caption."""
    return text_width(lines, size=TEXT) + GAP, line_height(TEXT) * len(lines) + GAP // 2


def _beside(cell: Place, lines: Sequence[str]) -> list[Place]:
    """Return boxes for some lines below, above, right and left of a cell."""
    left, top, right, bottom = cell
    width, height = _size(lines)
    x, y = (left + right - width) // 2, (top + bottom - height) // 2
    corners = (
        (x, bottom + _APART),
        (x, top - _APART - height),
        (right + _APART, y),
        (left - _APART - width, y),
    )
    return [(across, down, across + width, down + height) for across, down in corners]


def _moved_in(box: Place, around: Place) -> Place:
    """Return a box moved onto the map, as far as it has room there."""
    left = max(around[0], min(box[0], around[2] - (box[2] - box[0])))
    top = max(around[1], min(box[1], around[3] - (box[3] - box[1])))
    return left, top, left + box[2] - box[0], top + box[3] - box[1]


def _meet(first: Place, second: Place) -> bool:
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )

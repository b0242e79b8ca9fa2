"""Pack boxes of different sizes on a page, in columns."""

from collections.abc import Sequence
from typing import Final, NamedTuple

Size = tuple[int, int]  # width and height in pixels

BETWEEN: Final = (36, 30)  # pixels between columns and between rows
WIDE: Final = 1.5  # a box wider than this many usual ones takes several columns
SLACK: Final = 100  # pixels a box may be lower than need be, to keep the order
MOST_COLUMNS: Final = 12
SHAPE: Final = 1.4  # the width of a good page by its height


class Spot(NamedTuple):
    """Where the upper left corner of a box is, in pixels."""

    x: int
    y: int


def pack(boxes: Sequence[Size]) -> tuple[list[Spot], int, int]:
    """Return the spots of boxes, and the width and height of all, little of it empty.

    Columns are as wide as the usual box. Each box is put about as high as it can be, and there as
    far to the left, one after the other.

    >>> pack([(100, 50), (100, 50), (100, 50), (100, 50)])[1:]
    (236, 130)
    """
    if not boxes:
        return [], 0, 0
    widths = sorted(width for width, _ in boxes)
    usual = widths[len(widths) // 2]
    column = max(width for width in widths if width <= WIDE * usual) + BETWEEN[0]
    spans = [-(-(width + BETWEEN[0]) // column) for width, _ in boxes]
    pages = [
        _pack_in(boxes, spans, columns, column)
        for columns in range(max(spans), max(MOST_COLUMNS, *spans) + 1)
    ]
    return min(pages, key=_badness)


def _pack_in(
    boxes: Sequence[Size], spans: Sequence[int], columns: int, column: int
) -> tuple[list[Spot], int, int]:
    """Return the spots, width and height with a number of columns."""
    filled = [0] * columns  # down to where
    spots = []
    for (_, height), span in zip(boxes, spans, strict=True):
        tops = [max(filled[at : at + span]) for at in range(columns - span + 1)]
        at = next(place for place, top in enumerate(tops) if top <= min(tops) + SLACK)
        spots.append(Spot(at * column, tops[at]))
        filled[at : at + span] = [tops[at] + height + BETWEEN[1]] * span
    width = max(spot.x + size[0] for spot, size in zip(spots, boxes, strict=True))
    return spots, width, max(filled) - BETWEEN[1]


def _badness(page: tuple[list[Spot], int, int]) -> float:
    """Return how far a page is from small and of good shape: the area of one that has it."""
    _, width, height = page
    return max(width / SHAPE, height) ** 2 + width * height

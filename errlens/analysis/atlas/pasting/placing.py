"""How large a patch is pasted, and where."""

from typing import Final, NamedTuple

Size = tuple[int, int]  # width and height in pixels


class Position(NamedTuple):
    """A place for a patch, by shares of the way that it can go to the right and down.

    At 0, 0 it lies in the upper left corner, at 1, 1 in the lower right one; wherever it is, all
    of it lies inside.
    """

    name: str
    across: float
    down: float


CENTER: Final = Position("center", 0.5, 0.5)
CORNERS: Final = (
    Position("upper left", 0, 0),
    Position("upper right", 1, 0),
    Position("lower left", 0, 1),
    Position("lower right", 1, 1),
)
GRID: Final = (
    CORNERS[0],
    Position("upper middle", 0.5, 0),
    CORNERS[1],
    Position("left", 0, 0.5),
    CENTER,
    Position("right", 1, 0.5),
    CORNERS[2],
    Position("lower middle", 0.5, 1),
    CORNERS[3],
)


def pasted_size(patch: Size, picture: Size, size: float) -> Size:
    """Return how large a patch is in a picture: its longer side is a share of the shorter one's.

    Args:
        patch: Width and height; their ratio is kept.
        picture: Likewise.
        size: Above 0 and at most 1.

    >>> pasted_size((30, 60), (224, 320), 0.5)
    (56, 112)
    """
    longer = size * min(picture)
    width, height = (max(1, round(longer * side / max(patch))) for side in patch)
    return width, height


def corner(patch: Size, picture: Size, position: Position) -> Size:
    """Return the left and the top of a patch in a picture, in pixels.

    >>> corner((56, 112), (224, 320), CENTER), corner((56, 112), (224, 320), CORNERS[3])
    ((84, 104), (168, 208))
    """
    across, down = (outer - inner for outer, inner in zip(picture, patch, strict=True))
    return round(position.across * across), round(position.down * down)


def inside(box: tuple[float, float, float, float], picture: Size) -> tuple[int, int, int, int]:
    """Return a box in whole pixels, moved into the picture, and cut only where it is larger.

    >>> inside((-20.0, 10.2, 44.0, 74.2), (100, 80))
    (0, 10, 64, 74)
    >>> inside((-20.0, -20.0, 120.0, 60.0), (100, 80))
    (0, 0, 100, 80)
    """
    starts, ends = [], []
    for low, high, side in zip(box[:2], box[2:], picture, strict=True):
        length = min(side, max(1, round(high - low)))
        start = min(max(0, round(low)), side - length)
        starts.append(start)
        ends.append(start + length)
    return starts[0], starts[1], ends[0], ends[1]

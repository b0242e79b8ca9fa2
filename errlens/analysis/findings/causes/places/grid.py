"""Places of an image: windows of a grid and the strips along its edges, with their names."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIXTHS: Final = 6  # of a side, the step of the grid
WINDOW: Final = 2  # sixths: what is hidden covers any stamp of a sixth, wherever it lies


class Place(NamedTuple):
    """A rectangle in shares of an image, 0 to 1, without its ends `bottom` and `right`.

    A frame is all that lies outside of it.
    """

    top: float
    left: float
    bottom: float
    right: float
    frame: bool = False

    def pixels(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return top, left, bottom and right in pixels; at least one pixel each way.

        >>> Place(0, 0.5, 0.25, 1).pixels(8, 8)
        (0, 4, 2, 8)
        """
        top, left = (
            min(round(edge * side), side - 1)
            for edge, side in ((self.top, height), (self.left, width))
        )
        bottom = max(top + 1, round(self.bottom * height))
        return top, left, bottom, max(left + 1, round(self.right * width))

    def overlaps(self, other: "Place") -> bool:
        """Say whether two places have anything in common."""
        return bool((self.covered & other.covered).any())

    @property
    def covered(self) -> NDArray[np.bool_]:
        """The squares of the grid that it covers, shape (SIXTHS, SIXTHS)."""
        inside = np.zeros((SIXTHS, SIXTHS), bool)
        top, left, bottom, right = self.pixels(SIXTHS, SIXTHS)
        inside[top:bottom, left:right] = True
        return ~inside if self.frame else inside

    @property
    def name(self) -> str:
        """What people call it.

        >>> Place(4 / 6, 4 / 6, 1, 1).name, Place(5 / 6, 0, 1, 1).name
        ('the lower right corner', 'the strip along the lower edge')
        """
        if self.frame:
            return "the frame along all edges"
        if self.right - self.left == 1 or self.bottom - self.top == 1:
            return (
                f"the strip along the {_SIDES[self.top, self.left, self.bottom, self.right]} edge"
            )
        row = _third(self.top, self.bottom, ("upper", "", "lower"))
        column = _third(self.left, self.right, ("left", "", "right"))
        if row and column:
            corner = {self.top, self.bottom} & {0, 1} and {self.left, self.right} & {0, 1}
            return f"the {row} {column} {'corner' if corner else 'part'}"
        if row or column:
            edge = {self.top, self.bottom} & {0, 1} if row else {self.left, self.right} & {0, 1}
            return f"the middle of the {row or column} {'edge' if edge else 'half'}"
        return "the middle"


_THICK: Final = 1 / SIXTHS
_SIDES: Final = {
    (0, 0, _THICK, 1): "upper",
    (1 - _THICK, 0, 1, 1): "lower",
    (0, 0, 1, _THICK): "left",
    (0, 1 - _THICK, 1, 1): "right",
}


def _third(start: float, end: float, names: tuple[str, str, str]) -> str:
    """Name a stretch by the third of the side that its middle lies in."""
    middle = (start + end) / 2
    return names[0] if middle < 0.4 else names[2] if middle > 0.6 else names[1]


def _windows() -> tuple[Place, ...]:
    steps = range(SIXTHS - WINDOW + 1)
    return tuple(
        Place(row / SIXTHS, column / SIXTHS, (row + WINDOW) / SIXTHS, (column + WINDOW) / SIXTHS)
        for row in steps
        for column in steps
    )


WINDOWS: Final = _windows()
STRIPS: Final = tuple(Place(*edges) for edges in _SIDES)
FRAME: Final = Place(_THICK, _THICK, 1 - _THICK, 1 - _THICK, frame=True)
PLACES: Final = (*WINDOWS, *STRIPS, FRAME)

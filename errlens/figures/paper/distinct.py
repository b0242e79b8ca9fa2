"""Colours of classes, and of whatever else has no order."""

from typing import Final

Colour = tuple[int, int, int]

# Okabe and Ito, "Color Universal Design", without black: told apart by colour-blind readers, too.
DISTINCT: Final[tuple[Colour, ...]] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66),
)  # fmt: skip
OTHER: Final[Colour] = (150, 150, 150)

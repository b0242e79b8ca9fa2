"""Marks around cells of a matrix: what their errors are evidence of."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

COLOUR: Final = "#1f5fbf"  # none of the colours of errors


class Outline(NamedTuple):
    """How the cells of a kind are outlined; dashes are on and off, in widths of the line."""

    width: float
    dashes: tuple[float, ...] | None = None

    @property
    def style(self) -> Any:
        """The style of the line as matplotlib takes it."""
        return (0, self.dashes)


# What a mark says in the key, the strongest evidence first.
MUTUAL: Final = "mutually confused"
LIKELY: Final = "likely (lift below 2)"
ONE_WAY: Final = "one way"
OUTLINES: Final = {
    MUTUAL: Outline(1.3),
    LIKELY: Outline(1.3, (3, 1.5)),
    ONE_WAY: Outline(1.3, (1, 1.5)),
}


class Mark(NamedTuple):
    """A cell, and what its errors are evidence of: one of `OUTLINES`."""

    kind: str
    row: int
    column: int


def kinds_of(marks: Sequence[Mark]) -> list[str]:
    """Return the kinds there are, the strongest evidence first."""
    present = {mark.kind for mark in marks}
    return [kind for kind in OUTLINES if kind in present]

"""What there is to know of a method before one believes it."""

from typing import NamedTuple


class Card(NamedTuple):
    """A method in a few sentences.

    `means` says what a map shows, `lies` when it misleads; `paper` is where it comes from; `unit`
    is what a value is measured in.
    """

    means: str
    lies: str
    paper: str
    unit: str

"""The searches for causes, in the order in which they are believed where they tell the same."""

from collections.abc import Callable
from typing import Final, NamedTuple

from errlens.analysis.findings.finding import Outcome
from errlens.commands.diagnose.case import Case


class Look(NamedTuple):
    """A search: for what kind of cause, in words, and the function that does it."""

    kind: str
    what: str
    search: Callable[[Case], Outcome]


SEARCHES: Final[tuple[Look, ...]] = ()

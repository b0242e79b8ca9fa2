"""What `errlens what-if` finds."""

from collections.abc import Sequence
from typing import NamedTuple

from errlens.analysis.accuracy.what_if import Recount
from errlens.analysis.gates.limits import GateResult
from errlens.formats import counted, of


class WhatIfResult(NamedTuple):
    """The metrics of a run as it is and with other classes or labels, and what becomes of gates."""

    old: Recount
    new: Recount
    gates: Sequence[GateResult]

    def __repr__(self) -> str:
        """Return a line for a notebook: the accuracy before and now."""
        before, now = (
            of(recount.matrix.total - recount.matrix.n_errors, recount.matrix.total)
            for recount in (self.old, self.new)
        )
        return f"<{before} images right before, {now} now; {counted(len(self.gates), 'gate')}>"

"""What `errlens what-if` finds."""

from collections.abc import Sequence
from typing import NamedTuple

from errlens.analysis.accuracy.what_if import Recount
from errlens.analysis.gates.limits import GateResult


class WhatIfResult(NamedTuple):
    """The metrics of a run as it is and with other classes or labels, and what becomes of gates."""

    old: Recount
    new: Recount
    gates: Sequence[GateResult]

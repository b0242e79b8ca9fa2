"""What `errlens check` finds."""

import pandas as pd

from errlens.analysis.gates.limits import GateResult
from errlens.commands.notebook.markup import shown
from errlens.formats import count, counted


class CheckResult(list[GateResult]):
    """What became of each gate, limits first."""

    @property
    def passed(self) -> bool:
        """Whether all gates are kept to."""
        return all(gate.passed for gate in self)

    @property
    def table(self) -> pd.DataFrame:
        """A row a gate: metric, op, threshold, value, low, high, n, passed, reason."""
        columns = ("metric", "op", "threshold", "value", "low", "high", "n", "passed", "reason")
        rows = [gate.as_dict() for gate in self]
        return pd.DataFrame(rows, columns=list(columns))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: how many passed, and each gate."""
        n = sum(gate.passed for gate in self)
        return shown(f"{count(n)} of {counted(len(self), 'gate')} passed", self.table)

"""What `errlens what-if` finds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from errlens.analysis.accuracy.what_if import Recount
from errlens.analysis.gates.limits import GateResult
from errlens.commands.notebook.markup import shown
from errlens.formats import counted, of


class WhatIfResult(NamedTuple):
    """The metrics of a run as it is and with other classes or labels, and what becomes of gates."""

    old: Recount
    new: Recount
    gates: Sequence[GateResult]
    n_without_label: int = 0  # lines of the files of labels that have none

    @property
    def table(self) -> pd.DataFrame:
        """The metrics, a row each: what they are called, and their values `before` and `now`."""
        before, now = _values(self.old.metrics), _values(self.new.metrics)
        return pd.DataFrame({"metric": [*now], "before": before.values(), "now": now.values()})

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the metrics before and now."""
        return shown(repr(self), self.table)

    def __repr__(self) -> str:
        """Return a line for a notebook: the accuracy before and now."""
        before, now = (
            of(recount.matrix.total - recount.matrix.n_errors, recount.matrix.total)
            for recount in (self.old, self.new)
        )
        return f"<{before} images right before, {now} now; {counted(len(self.gates), 'gate')}>"


def _values(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Return metrics without their intervals."""
    return {
        name: metric["value"] if isinstance(metric, Mapping) else metric
        for name, metric in metrics.items()
    }

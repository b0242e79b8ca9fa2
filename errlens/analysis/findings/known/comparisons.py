"""Findings on a run held against an older one, or against what was asked of it."""

from collections.abc import Iterator

import pandas as pd

from errlens.analysis.findings.finding import RUN, THESE, Finding, Gain
from errlens.analysis.gates.texts import gate_texts
from errlens.analysis.gates.written import WrittenGates
from errlens.formats import count, p_value, points, points_range


def from_comparison(runs: pd.DataFrame, broken: pd.DataFrame | None) -> Iterator[Finding]:
    """Yield the finding that a run is better or worse than an older one.

    Args:
        runs: runs.csv: the run is the last, and what it is held against the first.
        broken: broken.csv; None where there is none.
    """
    old, new = runs.iloc[0], runs.iloc[-1]
    difference = new.get("difference")
    if len(runs) < 2 or pd.isna(difference):
        return
    against = points(float(difference), int(new["n"]))
    interval = points_range(float(new["difference_low"]), float(new["difference_high"]))
    paired = not pd.isna(new.get("broken"))
    changed = f"; {count(new['fixed'])} fixed, {count(new['broken'])} broken" * paired
    rows = tuple(map(int, broken["row"])) if broken is not None and len(broken) else ()
    yield Finding(
        kind="comparison",
        statement=f"{against} accuracy against {old['run']} (95 % interval {interval}{changed}).",
        rows=rows,
        n_errors=len(rows),
        gain=Gain(len(rows) / new["n"], 0.0, len(rows) / new["n"]) if rows else None,
        q_value=float(new["p_value"]),
        evidence=p_value(float(new["p_value"])),
        command=("misclassified", RUN, "--select", THESE) if rows else ("report", RUN),
        subject={"old": str(old["run"]), "difference": float(difference)},
    )


def from_gates(gates: WrittenGates) -> Iterator[Finding]:
    """Yield a finding for each gate that was not passed."""
    for gate in gates.gates:
        if gate.passed:
            continue
        texts = gate_texts(gate.metric, gate.value, gate.op, gate.threshold, gate.low, gate.high)
        yield Finding(
            kind="gate",
            statement=f"The gate {gate.name} failed: {gate.reason or texts.value}.",
            evidence=f"{gate.metric} {texts.value}, asked for {texts.demand} {texts.limit}",
            command=("report", RUN),
            subject={"gate": gate.name},
        )

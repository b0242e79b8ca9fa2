"""What other commands made of a run, or the command that makes it."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, cast

import pandas as pd

from errlens.analysis.confusion.pairs import STATUSES, by_status
from errlens.analysis.gates.texts import gate_texts
from errlens.analysis.gates.written import WrittenGate, read_written_gates
from errlens.documents import parse_json
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.run.csv_tables import Columns
from errlens.run.folder import RunFolder
from errlens.run.results import read_results

_CLASSES: Final = ("class_a", "class_b", "true_class", "pred_class", "class_name")


class Problem(NamedTuple):
    """Why a part of a run cannot be shown, the command that changes this, and what it does."""

    what: str
    command: str
    does: str = "makes it"


class Part(NamedTuple):
    """Tables of one command by name; the first problem met in reading them, if any."""

    tables: Mapping[str, pd.DataFrame]
    problem: Problem | None = None

    def first(self, name: str, most: int | None = None) -> list[dict[str, Any]]:
        """Return the first rows of a table, none where there is no such table."""
        return records(self.tables[name], most) if name in self.tables else []


def read_part(
    run: RunFolder,
    kind: str,
    tables: Mapping[str, Columns],
    *,
    optional: Mapping[str, Columns] | None = None,
    before: str = "",
) -> Part:
    """Read tables that `errlens KIND` wrote into a run.

    Args:
        run: The run.
        kind: The command.
        tables: The columns of each table that this command always writes: one that is missing,
            stale or damaged is a problem, and then there are none.
        optional: Likewise of those that it writes only if asked to; damaged ones are as good as
            none.
        before: What stands before the run on its command line, in capitals: the user's to fill in.
    """
    command = shell_line(["errlens", kind, *([before] if before else []), run.path])
    does = f"makes it, with {before} an earlier run" if before else "makes it"
    read = {}
    for name, columns in {**tables, **(optional or {})}.items():
        try:
            read[name] = _undamaged(run, kind, name, columns)
        except NoResults as error:
            if name in tables:
                return Part({}, Problem(str(error), command, does))
    return Part(read)


def _undamaged(run: RunFolder, kind: str, name: str, columns: Columns) -> pd.DataFrame:
    """Read a table that speaks of the classes of the run."""
    table = read_results(run, kind, f"{name}.csv", columns)
    known = set(run.info.classes.names)
    whole = kind == "compare" or (
        all(set(table[column]) <= known for column in _CLASSES if column in columns)
        and all(_are_of(known, cell) for cell in table.get("classes", ()))
        and (name != "pairs" or _has_evidence(table))
    )
    if not whole:
        path = run.path / kind / f"{name}.csv"
        command = shell_line(["errlens", kind, run.path])
        raise NoResults(f"{str(path)!r} is damaged", command=command)
    return table


def _has_evidence(pairs: pd.DataFrame) -> bool:
    """Tell whether each pair has a status, and those that there is evidence of have it."""
    evidence = by_status(pairs).real[["lift_ab", "lift_ba", "q_value"]]
    return set(pairs["status"]) <= set(STATUSES) and bool(evidence.notna().all(axis=None))


def _are_of(known: Collection[str], cell: Any) -> bool:
    """Tell whether a cell is a JSON list of known names."""
    try:
        names = parse_json(cell)
        return isinstance(names, list) and set(names) <= set(known)
    except (ValueError, TypeError):
        return False


def read_gates(
    run: RunFolder, metrics: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, Problem | None]:
    """Return what `gates.json` says, or why it says nothing; neither where no gate was checked."""
    command, does = _gate_just_met(run, metrics)
    path = str(run.gates_file)
    try:
        gates = read_written_gates(run)
    except ValueError:
        return None, Problem(f"{path!r} is damaged", command, does)
    if gates is None:
        return None, None
    if gates.run_hash not in (None, run.info.run_hash):
        return None, Problem(f"{path!r} was made of other predictions", command, does)
    return {"passed": gates.passed, "gates": [*map(_with_texts, gates.gates)]}, None


def _gate_just_met(run: RunFolder, metrics: Mapping[str, Any]) -> tuple[str, str]:
    """Return a command with a gate that the run passes, and what it does."""
    if top1 := metrics.get("top1"):
        gate = ("--fail-under", f"top1={math.floor(100 * top1['value'])}%")
    else:
        gate = ("--fail-over", f"n_failed={metrics.get('n_failed', 0)}")
    return shell_line(["errlens", "check", run.path, *gate]), "is a gate that the run just passes"


def records(table: pd.DataFrame, most: int | None = None) -> list[dict[str, Any]]:
    """Return the first rows of a table as plain values, None where one is missing."""
    first = table if most is None else table.head(most)
    plain = first.astype(object).where(first.notna(), None)
    return cast("list[dict[str, Any]]", plain.to_dict("records"))


def _with_texts(gate: WrittenGate) -> dict[str, Any]:
    """Return a gate with its numbers as they are written."""
    texts = gate_texts(gate.metric, gate.value, gate.op, gate.threshold, gate.low, gate.high)
    return {**gate.model_dump(), "texts": texts}

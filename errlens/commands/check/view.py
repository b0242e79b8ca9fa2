"""How gates look on the terminal, and as one object."""

from collections.abc import Mapping, Sequence
from typing import Any

from errlens.analysis.gates.limits import GateResult
from errlens.analysis.gates.metrics import PAIR, RECALL
from errlens.analysis.gates.texts import gate_texts
from errlens.analysis.selection.parsing import pair_selector, parse_selector
from errlens.classes.names import ClassNames
from errlens.errors import UnfitSelection
from errlens.escapes import shell_line
from errlens.formats import count, counted, p_value, points, share
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

COLUMNS = ("", "gate", ">value", "", ">limit", ">95 % interval", ">images")


def as_tree(run: RunFolder, outcomes: Sequence[GateResult]) -> dict[str, Any]:
    """Return what gates.json holds."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_hash": run.info.run_hash,
        "gates": [one.as_dict() for one in outcomes],
        "passed": all(one.passed for one in outcomes),
    }


def show_outcomes(screen: Screen, run: RunFolder, outcomes: Sequence[GateResult]) -> None:
    """Print a line a gate, what there is to say of some, where it all is, and the verdict."""
    screen.table(COLUMNS, [row_of(one) for one in outcomes])
    remarks = [text for one in outcomes for text in _remarks(one)]
    if remarks:
        screen.say()
    for text in remarks:
        screen.say(text)
    screen.say()
    names = f"{run.gates_file.name}, {run.junit_file.name}"
    screen.say(f"Wrote {relative(run.path)}: {names}")
    failed = sum(not one.passed for one in outcomes)
    gates = counted(len(outcomes), "gate")
    screen.say(f"FAILED: {failed} of {gates}" if failed else f"PASSED: {gates}")


def show_next(screen: Screen, run: RunFolder, outcomes: Sequence[GateResult]) -> None:
    """Name the command that shows the images behind the first gate that failed."""
    failed = [one for one in outcomes if not one.passed]
    if not failed or failed[0].measured.value is None:
        return
    words = ["errlens", "misclassified", relative(run.path)]
    gate, classes = failed[0].gate, run.info.classes
    if gate.kind == PAIR:
        a, b = gate.classes
        selector = pair_selector(classes[a], classes[b], classes)
        words += ["--select", selector] if selector else []
    elif gate.kind == RECALL:
        selector = f"true:{classes[gate.classes[0]]}+errors"
        words += ["--select", selector] if _is_clear(selector, classes) else []
    screen.say(f"Next: {shell_line(words)}")


def print_json(screen: Screen, run: RunFolder, tree: Mapping[str, Any]) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    files = [run.gates_file.name, run.junit_file.name]
    head = {"schema_version": SCHEMA_VERSION, "command": "check", "run": str(run.path)}
    screen.json({**head, **tree, "files": files})


def row_of(outcome: GateResult) -> tuple[str, ...]:
    """Return the line of a gate in a table with the heads `COLUMNS`."""
    gate, measured = outcome.gate, outcome.measured
    texts = gate_texts(gate.metric, measured.value, gate.threshold, measured.low, measured.high)
    return (
        "PASS" if outcome.passed else "FAIL",
        gate.metric,
        texts.value,
        gate.op,
        texts.limit,
        texts.interval,
        "" if measured.n is None else count(measured.n),
    )


def _is_clear(selector: str, classes: ClassNames) -> bool:
    """Tell whether the name in a selector leaves one reading, on a command line too."""
    try:
        return "\0" not in selector and bool(parse_selector(selector, classes))
    except UnfitSelection:
        return False


def _remarks(outcome: GateResult) -> list[str]:
    """Return what a line of a table has no room for."""
    details = outcome.details
    if not details:
        return (
            [f"{outcome.gate.metric}: {outcome.reason}"] if outcome.measured.value is None else []
        )
    n, allowed = outcome.measured.n or 0, f"{100 * outcome.gate.threshold:g} pp"
    least = details["least_drop_shown"]
    broken, fixed = details["broken"], details["fixed"]
    changed = f"with {count(broken + fixed)} of {counted(n, 'image')} changed"
    found = [
        f"top-1 on the {counted(n, 'image')} of both runs: {share(details['accuracy_old'], n)} "
        f"then, {share(details['accuracy_new'], n)} now ({count(broken)} broken, {count(fixed)} "
        f"fixed, exact one-sided McNemar {p_value(details['p_drop'])})",
        f"{changed}, even if all were broken: no drop could be told from the {allowed} allowed"
        if least is None
        else f"{changed}, the smallest drop that fails is {points(least).lstrip('+')}: a smaller "
        f"one cannot be told from the {allowed} allowed",
    ]
    if outcome.reason.startswith("the data set"):
        found.insert(0, outcome.reason)
    return found

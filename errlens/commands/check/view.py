"""How gates look on the terminal."""

from collections.abc import Sequence
from typing import Any, Final

from errlens.analysis.gates.limits import GateResult
from errlens.analysis.gates.metrics import PAIR, RECALL
from errlens.analysis.gates.texts import gate_texts, verdict
from errlens.analysis.selection.parsing import pair_selector, parse_selector
from errlens.classes.names import ClassNames
from errlens.commands.showing import print_json, say_next, show_files
from errlens.errors import UnfitSelection
from errlens.formats import count, counted, p_value, points, share
from errlens.run.folder import RunFolder
from errlens.terminal import Cell, Screen, Verdict

_GIVE_WAY: Final = (">images", ">95 % interval")
_HEADS: Final = ("", "gate", ">value", "", ">limit", ">95 % interval", ">images")


def show(screen: Screen, run: RunFolder, gates: Sequence[GateResult], *, is_verdict: bool) -> None:
    """Print a line a gate, what there is to say of some, the verdict, and what to do next.

    That gates failed is said here if this `is_verdict`; else the error does that ends the command.
    """
    files = [run.gates_file.name, run.junit_file.name]
    failed = [gate for gate in gates if not gate.passed]
    n = counted(len(gates), "gate")
    screen.step("check", n)
    show_gates(screen.essential, gates, file=run.gates_file.name)
    remarks = [text for gate in gates for text in _remarks(gate)]
    for text in ["", *remarks] if remarks else []:
        screen.say(text)
    show_files(screen, run.path, files)
    if not failed or is_verdict:
        screen.say(verdict(len(failed), len(gates)), passed=not failed)
    if failed and failed[0].measured.value is not None:
        chosen = _selected(failed[0], run.info.classes)
        say_next(screen, ["errlens", "misclassified", run.path, *chosen])
    print_json(screen, "check", run, **as_tree(gates), files=files)


def show_gates(screen: Screen, gates: Sequence[GateResult], *, file: str = "") -> None:
    """Print a line a gate; `file` holds all that is known of them."""
    screen.table(_HEADS, [_cells(gate) for gate in gates], gives_way=_GIVE_WAY, file=file)


def as_tree(gates: Sequence[GateResult]) -> dict[str, Any]:
    """Return what gates.json and the object printed for programs hold of gates."""
    return {
        "gates": [gate.as_dict() for gate in gates],
        "passed": all(gate.passed for gate in gates),
    }


def _cells(outcome: GateResult) -> tuple[Cell, ...]:
    gate, measured = outcome.gate, outcome.measured
    texts = gate_texts(
        gate.metric, measured.value, gate.op, gate.threshold, measured.low, measured.high
    )
    return (
        Verdict("PASS" if outcome.passed else "FAIL", outcome.passed),
        gate.metric,
        texts.value,
        texts.demand,
        texts.limit,
        texts.interval,
        "" if measured.n is None else count(measured.n),
    )


def _selected(failed: GateResult, classes: ClassNames) -> list[str]:
    """Return the option that selects the images behind a gate; nothing where there is none."""
    selector = None
    if failed.gate.kind == PAIR:
        a, b = failed.gate.classes
        selector = pair_selector(classes[a], classes[b], classes)
    elif failed.gate.kind == RECALL:
        errors = f"true:{classes[failed.gate.classes[0]]}+errors"
        selector = errors if _is_clear(errors, classes) else None
    return ["--select", selector] if selector else []


def _is_clear(selector: str, classes: ClassNames) -> bool:
    """Tell whether a selector can be read in one way only, on a command line too."""
    try:
        return "\0" not in selector and bool(parse_selector(selector, classes))
    except UnfitSelection:
        return False


def _remarks(outcome: GateResult) -> list[str]:
    """Return what there is to say of a gate beyond its line in the table."""
    details = outcome.details
    if not details:
        unknown = outcome.measured.value is None
        return [f"{outcome.gate.metric}: {outcome.reason}"] if unknown else []
    n, allowed = outcome.measured.n or 0, f"{100 * outcome.gate.threshold:g} pp"
    least = details["least_drop_shown"]
    broken, fixed = details["broken"], details["fixed"]
    changed = f"with {count(broken + fixed)} of {counted(n, 'image')} changed"
    remarks = [
        f"top-1 on the {counted(n, 'image')} of both runs: {share(details['accuracy_old'], n)} "
        f"then, {share(details['accuracy_new'], n)} now ({count(broken)} broken, {count(fixed)} "
        f"fixed, exact one-sided McNemar {p_value(details['p_drop'])})",
        f"{changed}, even if all were broken: no drop could be told from the {allowed} allowed"
        if least is None
        else f"{changed}, the smallest drop that fails is {points(least).lstrip('+')}: a smaller "
        f"one cannot be told from the {allowed} allowed",
    ]
    if outcome.reason.startswith("the data set"):
        remarks.insert(0, outcome.reason)
    return remarks

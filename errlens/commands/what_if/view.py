"""How the figures of other classes and labels look on the terminal."""

from collections.abc import Sequence
from typing import Any

from errlens.analysis.accuracy.regrouping import Regrouping
from errlens.analysis.accuracy.what_if import Recount
from errlens.analysis.confusion.pairs import LIKELY, MUTUAL, of_status
from errlens.analysis.gates.limits import GateResult
from errlens.commands.check.view import COLUMNS, row_of
from errlens.formats import NOT_KNOWN, count, counted, number, share, share_range
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def show_changes(screen: Screen, run: RunFolder, regrouping: Regrouping, new: Recount) -> None:
    """Say what changes, and what is not known for certain."""
    if len(regrouping.classes) < len(run.info.classes):
        screen.remark(f"{len(regrouping.classes)} of {len(run.info.classes)} classes are left")
    if new.left_out:
        screen.remark(f"{counted(new.left_out, 'image')} of dropped classes left out")
    if new.relabelled:
        screen.remark(f"{counted(new.relabelled, 'label')} changed")
    keep = "errlens evaluate --keep logits keeps what would tell"
    if new.undecided:
        low, high = new.bounds
        screen.warn(
            f"{counted(new.undecided, 'image')} undecided and left out: their class was dropped, "
            f"and the next one was not stored; with them top-1 is {share_range(low, high)}. {keep}"
        )
    if new.unsummed:
        screen.warn(
            f"{counted(new.unsummed, 'image')} without the probabilities that would settle the "
            f"sums: taken for what the predicted class became part of. {keep}"
        )


def show_outcomes(screen: Screen, old: Recount, new: Recount) -> None:
    """Print the figures side by side, then the pairs."""
    outcomes = (old, new)
    rows = [
        ("top-1", *(cell for one in outcomes for cell in _top1(one))),
        ("macro F1", *(cell for one in outcomes for cell in (_macro_f1(one), ""))),
        ("images", *(cell for outcome in outcomes for cell in (count(outcome.matrix.total), ""))),
        ("classes", *(cell for one in outcomes for cell in (str(len(one.matrix.classes)), ""))),
        ("mutual pairs", *(cell for outcome in outcomes for cell in (count(outcome.n_mutual), ""))),
    ]
    screen.table(("", ">as it is", ">95 % interval", ">what if", ">95 % interval"), rows)
    before, after = _pairs(old), _pairs(new)
    shown = [
        (f"{a} ~ {b}", before.get((a, b), NOT_KNOWN), after.get((a, b), NOT_KNOWN))
        for a, b in dict.fromkeys([*before, *after])
    ]
    if shown:
        screen.say()
        screen.table(("mutually confused (A ~ B)", ">as it is", ">what if"), shown)
        screen.say("A as B + B as A, in images")


def show_gates(screen: Screen, gates: Sequence[GateResult]) -> None:
    """Print what would become of gates."""
    if gates:
        screen.say()
        screen.table(COLUMNS, [row_of(one) for one in gates])


def print_json(
    screen: Screen, run: RunFolder, old: Recount, new: Recount, gates: Sequence[GateResult]
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "what-if",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "left_out": new.left_out,
            "relabelled": new.relabelled,
            "undecided": new.undecided,
            "unsummed": new.unsummed,
            "old": _as_dict(old),
            "new": _as_dict(new),
            "gates": [one.as_dict() for one in gates],
        }
    )


def _as_dict(outcome: Recount) -> dict[str, Any]:
    pairs = of_status(outcome.pairs, MUTUAL).astype(object)
    likely = of_status(outcome.pairs, LIKELY).astype(object)
    return {
        **outcome.metrics,
        "classes": list(outcome.matrix.classes.names),
        "n_mutual": outcome.n_mutual,
        "pairs": pairs.where(pairs.notna(), None).to_dict("records"),
        "likely": likely.where(likely.notna(), None).to_dict("records"),
    }


def _top1(outcome: Recount) -> tuple[str, str]:
    top1 = outcome.top1
    if top1 is None:
        return NOT_KNOWN, ""
    return share(top1.value, top1.n), share_range(top1.low, top1.high, top1.n)


def _macro_f1(outcome: Recount) -> str:
    return number(outcome.macro_f1.value) if outcome.macro_f1 else NOT_KNOWN


def _pairs(outcome: Recount) -> dict[tuple[str, str], str]:
    return {
        (one["class_a"], one["class_b"]): f"{one['a_as_b']} + {one['b_as_a']}"
        + " (likely)" * (one["status"] == LIKELY)
        for one in outcome.pairs.to_dict("records")
    }

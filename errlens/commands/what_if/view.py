"""How the metrics of other classes and labels look on the terminal."""

from typing import Any

from errlens.analysis.accuracy.what_if import Recount
from errlens.analysis.confusion.pairs import LIKELY, by_status
from errlens.commands.check.view import show_gates
from errlens.commands.showing import both_ways, first_rows, print_json, records
from errlens.commands.what_if.result import WhatIfResult
from errlens.formats import NOT_KNOWN, are, count, counted, number, share, share_range
from errlens.run.folder import RunFolder
from errlens.run.identity import afresh
from errlens.terminal import Screen


def show(screen: Screen, run: RunFolder, result: WhatIfResult) -> None:
    """Print what changes, the metrics and the pairs side by side, and what gates would say."""
    old, new, gates, n_without_label = result
    _show_changes(screen, run, new)
    if n_without_label:
        screen.remark(f"{counted(n_without_label, 'row')} without a label passed over")
    _show_metrics(screen, old, new)
    _show_pairs(screen, old, new)
    if gates:
        screen.say()
        show_gates(screen, gates)
    print_json(
        screen,
        "what-if",
        run,
        left_out=new.left_out,
        relabelled=new.relabelled,
        undecided=new.undecided,
        unsummed=new.unsummed,
        old=_as_tree(old),
        new=_as_tree(new),
        gates=[gate.as_dict() for gate in gates],
    )


def _show_changes(screen: Screen, run: RunFolder, new: Recount) -> None:
    """Say what changes, and what is not known for certain."""
    n_classes = len(new.matrix.classes)
    if n_classes < len(run.info.classes):
        screen.remark(
            f"{n_classes} of {counted(len(run.info.classes), 'class')} {are(n_classes)} left"
        )
    if new.left_out:
        screen.remark(f"{counted(new.left_out, 'image')} of dropped classes left out")
    if new.relabelled:
        screen.remark(f"{counted(new.relabelled, 'label')} changed")
    keep = (
        "an import with the probabilities of all classes would store what is missing"
        if run.info.imported
        else afresh(run.path, "--keep", "logits", does="stores what is missing")
    )
    if new.undecided:
        low, high = new.bounds
        screen.warn(
            f"{counted(new.undecided, 'image')} undecided and left out: their class was dropped, "
            f"and the next one was not stored; with them top-1 is {share_range(low, high)}. {keep}"
        )
    if new.unsummed:
        screen.warn(
            f"{counted(new.unsummed, 'image')} without the probabilities that a merged class would "
            f"add up: counted for what their predicted class became part of. {keep}"
        )


def _show_metrics(screen: Screen, old: Recount, new: Recount) -> None:
    """Print the metrics side by side."""
    columns = [_metrics(recount) for recount in (old, new)]
    rows = [
        (name, *(cell for column in columns for cell in column[name]))
        for name in ("top-1", "macro F1", "images", "classes", "mutual pairs")
    ]
    heads = ("", ">as it is", ">95 % interval", ">what if", ">95 % interval")
    screen.table(heads, rows, gives_way=(">95 % interval",))


def _metrics(recount: Recount) -> dict[str, tuple[str, str]]:
    """Return each metric with its interval, as they are written."""
    top1, macro_f1, matrix = recount.top1, recount.macro_f1, recount.matrix
    return {
        "top-1": (share(top1.value, top1.n), share_range(top1.low, top1.high, top1.n))
        if top1
        else (NOT_KNOWN, ""),
        "macro F1": (number(macro_f1.value if macro_f1 else None), ""),
        "images": (count(matrix.total), ""),
        "classes": (str(len(matrix.classes)), ""),
        "mutual pairs": (count(recount.n_mutual), ""),
    }


def _show_pairs(screen: Screen, old: Recount, new: Recount) -> None:
    """Print the pairs of either side by side."""
    before, after = _pairs(old), _pairs(new)
    rows = [
        (both_ways(a, b), before.get((a, b), NOT_KNOWN), after.get((a, b), NOT_KNOWN))
        for a, b in dict.fromkeys([*before, *after])
    ]
    if rows:
        screen.say()
        screen.table(("mutually confused (A ~ B)", ">as it is", ">what if"), rows)
        screen.say("A as B + B as A, in images")


def _pairs(recount: Recount) -> dict[tuple[str, str], str]:
    return {
        (row["class_a"], row["class_b"]): f"{row['a_as_b']} + {row['b_as_a']}"
        + " (likely)" * (row["status"] == LIKELY)
        for row in first_rows(recount.pairs)
    }


def _as_tree(recount: Recount) -> dict[str, Any]:
    mutual, likely, _, _ = by_status(recount.pairs)
    return {
        **recount.metrics,
        "classes": list(recount.matrix.classes.names),
        "n_mutual": recount.n_mutual,
        "pairs": records(mutual),
        "likely": records(likely),
    }

"""The run in figures and in a few sentences: what page and Markdown begin with."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from errlens.analysis.metrics import infinite_nll
from errlens.formats import count, counted, share, share_range
from errlens.report.parts import Part, Problem, records

PAIRS_SHOWN: Final = 20
CANDIDATES_SHOWN: Final = 5

# What `metrics.json` calls a figure, and what people do; the shares first, then what is no share.
_SHARES: Final = {"top1": "top-1", "top5": "top-5", "super_top1": "right superclass"}
_MEANS: Final = {
    "nll": "NLL",
    "brier": "Brier",
    "ece": "ECE",
    "ece_equal_mass": "ECE, equal mass",
    "macro_f1": "macro F1",
}


class Figure(NamedTuple):
    """A figure over `n` images; a share of them has an interval."""

    name: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None


class Overview(NamedTuple):
    """`metrics.json` and `gates.json`, and what they come to."""

    sentences: Sequence[str]
    shares: Sequence[Figure]
    means: Sequence[Figure]
    gates: Mapping[str, Any] | None
    gates_problem: Problem | None


def overview(
    metrics: Mapping[str, Any],
    *,
    confusion: Part,
    gates: Mapping[str, Any] | None,
    gates_problem: Problem | None,
) -> Overview:
    """Put the figures of a run together, and say in words what they say."""
    shares = [_figure(name, metrics[key]) for key, name in _SHARES.items() if metrics.get(key)]
    shares += [
        _figure(f"top-1, {one['superclass']}", one["top1"])
        for one in metrics.get("by_superclass") or ()
        if one["top1"]
    ]
    means = [_figure(name, metrics[key]) for key, name in _MEANS.items() if metrics.get(key)]
    sentences = [*_gate_sentence(gates), *_accuracy(metrics), *_confused(confusion)]
    return Overview(sentences, shares, means, gates, gates_problem)


def strongest_pairs(confusion: Part) -> tuple[list[dict[str, Any]], bool]:
    """Return the mutual pairs, best evidence first; without any the candidates, and False."""
    if "pairs" not in confusion.tables:
        return [], False
    pairs = confusion.tables["pairs"]
    mutual = pairs[pairs["mutual"].astype("boolean").fillna(value=False).astype(bool)]
    if len(mutual):
        return records(mutual, PAIRS_SHOWN), True
    return records(pairs, CANDIDATES_SHOWN), False


def _figure(name: str, found: Mapping[str, Any]) -> Figure:
    value = math.inf if found["value"] is None else found["value"]  # JSON has no word for it
    return Figure(name, value, found["n"], found.get("low"), found.get("high"))


def _gate_sentence(gates: Mapping[str, Any] | None) -> list[str]:
    if gates is None:
        return []
    failed = [one for one in gates["gates"] if not one["passed"]]
    gates_in_all = counted(len(gates["gates"]), "gate")
    if gates["passed"]:
        return [f"Passed: {gates_in_all}."]
    return [f"Failed: {count(len(failed))} of {gates_in_all}."]


def _accuracy(metrics: Mapping[str, Any]) -> list[str]:
    """Say how many images are right, and how many do not count."""
    top1, lost = metrics.get("top1"), []
    if metrics.get("n_failed"):
        lost.append(f"{count(metrics['n_failed'])} could not be predicted")
    if metrics.get("n_label_unknown"):
        lost.append(f"{count(metrics['n_label_unknown'])} with a label the model lacks")
    if metrics.get("n_unlabelled"):
        lost.append(f"{count(metrics['n_unlabelled'])} without a label")
    rest = (
        [f"Of {counted(metrics['n'], 'image')}, these do not count: {', '.join(lost)}."]
        if lost
        else []
    )
    if metrics.get("n_infinite_loss"):
        rest.append(f"{infinite_nll(metrics['n_infinite_loss'])}.")
    if not top1:
        return ["No image has both a label and a prediction: nothing is right or wrong.", *rest]
    n = top1["n"]
    right = round(top1["value"] * n)
    return [
        f"{share(top1['value'], n)} right ({count(right)} of {counted(n, 'image')}; 95 % interval "
        f"{share_range(top1['low'], top1['high'], n)}), {count(n - right)} wrong.",
        *rest,
    ]


def _confused(confusion: Part) -> list[str]:
    """Say which classes are mixed up."""
    if confusion.problem:
        return []
    pairs, mutual = strongest_pairs(confusion)
    if not pairs:
        return ["No two classes are taken for one another."]
    first = pairs[0]
    names = f"{first['class_a']} ~ {first['class_b']}"
    counts = f"{count(first['a_as_b'])} and {counted(first['b_as_a'], 'image')}"
    if not mutual:
        return [
            "No pair is mutually confused on the evidence of these images; "
            f"the strongest candidate is {names} ({counts})."
        ]
    table = confusion.tables["pairs"]
    mutual_pairs = int(table["mutual"].astype("boolean").fillna(value=False).sum())
    many = f"{counted(mutual_pairs, 'pair')} {'is' if mutual_pairs == 1 else 'are'}"
    return [f"{many} mutually confused, most clearly {names} ({counts})."]

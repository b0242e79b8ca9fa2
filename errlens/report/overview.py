"""The run in figures and in a few sentences: what page and Markdown begin with."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from errlens.analysis.confusion import ConfusionMatrix
from errlens.analysis.verdict import NOTHING_SCORED, sentences
from errlens.report.parts import Part, Problem

LEAST_SHOWN: Final = 0.0005  # of what has three digits

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
    """`metrics.json` and `gates.json`, and what they come to.

    `confused` are those of the sentences that tell of classes that are mixed up.
    """

    sentences: Sequence[str]
    confused: Sequence[str]
    shares: Sequence[Figure]
    means: Sequence[Figure]
    gates: Mapping[str, Any] | None
    gates_problem: Problem | None


def overview(
    metrics: Mapping[str, Any],
    *,
    matrix: ConfusionMatrix,
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
    confused = _confused(confusion, matrix)
    told = [*_gate_sentence(gates), *_accuracy(metrics), *confused]
    return Overview(told, confused, shares, means, gates, gates_problem)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share.

    >>> percent(0.69189), percent(1.0), percent(None)
    ('69.2 %', '100.0 %', '-')
    """
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def gain(share: float | None) -> str:
    """Write how much the accuracy would grow, with at least two digits that count.

    >>> gain(0.027), gain(0.000043), gain(0.0)
    ('+2.7 %', '+0.0043 %', '+0 %')
    """
    return "-" if share is None else f"+{100 * share:.2g} %"


def range_of(low: float | None, high: float | None) -> str:
    """Write an interval of a share.

    >>> range_of(0.62202, 0.75396)
    '62.2 to 75.4 %'
    """
    return "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f} %"


def number(value: float | None) -> str:
    """Write a figure that is no share.

    A count that comes as a float, for others of its column are missing, is whole again.

    >>> number(1.77717), number(3), number(493.0), number(0.00002), number(None)
    ('1.777', '3', '493', '<0.001', '-')
    """
    if value is None:
        return "-"
    if 0 < value < LEAST_SHOWN:
        return f"<{2 * LEAST_SHOWN}"
    whole = isinstance(value, int) or (float(value).is_integer() and value != 1)
    return f"{value:.0f}" if whole else f"{value:.3f}"


def _figure(name: str, found: Mapping[str, Any]) -> Figure:
    return Figure(name, found["value"], found["n"], found.get("low"), found.get("high"))


def _gate_sentence(gates: Mapping[str, Any] | None) -> list[str]:
    if gates is None:
        return []
    failed = [one for one in gates["gates"] if not one["passed"]]
    if gates["passed"]:
        return [f"All {len(gates['gates'])} gates passed."]
    return [f"{len(failed)} of {len(gates['gates'])} gates failed."]


def _accuracy(metrics: Mapping[str, Any]) -> list[str]:
    """Say how many images are right, and how many do not count."""
    top1, lost = metrics.get("top1"), []
    if metrics.get("n_failed"):
        lost.append(f"{metrics['n_failed']} could not be predicted")
    if metrics.get("n_label_unknown"):
        lost.append(f"{metrics['n_label_unknown']} have a label the model lacks")
    if metrics.get("n_unlabelled"):
        lost.append(f"{metrics['n_unlabelled']} have no label")
    rest = [f"Of {metrics['n']} images {', '.join(lost)}; these do not count."] if lost else []
    if not top1:
        return [NOTHING_SCORED, *rest]
    right = round(top1["value"] * top1["n"])
    return [
        f"{percent(top1['value'])} right ({right} of {top1['n']} images; 95 % interval "
        f"{range_of(top1['low'], top1['high'])}), {top1['n'] - right} wrong.",
        *rest,
    ]


def _confused(confusion: Part, matrix: ConfusionMatrix) -> list[str]:
    """Say which classes are mixed up; of no image nothing can be said but what accuracy says."""
    if confusion.problem or not matrix.total:
        return []
    return sentences(matrix, confusion.tables["pairs"], confusion.tables["absorbed"])

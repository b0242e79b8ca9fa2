"""The run in numbers and in a few sentences: what page and Markdown begin with."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from errlens.analysis.accuracy.metrics import infinite_nll
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.sentences import NOTHING_SCORED, sentences
from errlens.analysis.gates.texts import verdict
from errlens.formats import count, counted, share, share_range
from errlens.report.parts import Part, Problem

# What `metrics.json` calls a metric, and what people do; the shares first, then what is no share.
_SHARES: Final = {"top1": "top-1", "top5": "top-5", "super_top1": "right superclass"}
_MEANS: Final = {
    "nll": "NLL",
    "brier": "Brier",
    "ece": "ECE",
    "ece_equal_mass": "ECE, equal mass",
    "macro_f1": "macro F1",
}
_GATES_NAMED: Final = 3

_LOST: Final = {
    "n_failed": "could not be predicted",
    "n_label_unknown": "with a label the model lacks",
    "n_unlabelled": "without a label",
}


class Metric(NamedTuple):
    """A metric over `n` images; a share of them has an interval."""

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
    shares: Sequence[Metric]
    means: Sequence[Metric]
    gates: Mapping[str, Any] | None
    gates_problem: Problem | None

    @property
    def without_gates(self) -> list[str]:
        """The sentences but for that on the gates, which a page tells on a line of their own."""
        left_out = gate_sentence(self.gates)
        return [sentence for sentence in self.sentences if sentence not in left_out]

    @property
    def gates_line(self) -> str:
        """The gates in one line: how many were passed, and which were not."""
        return gates_line(self.gates["gates"]) if self.gates else ""


def overview(
    metrics: Mapping[str, Any],
    *,
    matrix: ConfusionMatrix,
    confusion: Part,
    gates: Mapping[str, Any] | None,
    gates_problem: Problem | None,
    doubt: Sequence[str] = (),
    says_why: bool = False,
) -> Overview:
    """Put the metrics of a run together, and say in words what they say.

    `doubt` are the signs that they are not those of the network as it was trained. Where
    findings say why images are wrong, the sentences say nothing of confusions.
    """
    shares = [_metric(name, metrics[key]) for key, name in _SHARES.items() if metrics.get(key)]
    shares += [
        _metric(f"top-1, {superclass['superclass']}", superclass["top1"])
        for superclass in metrics.get("by_superclass") or ()
        if superclass["top1"]
    ]
    means = [_metric(name, metrics[key]) for key, name in _MEANS.items() if metrics.get(key)]
    confused = _confused(confusion, matrix)
    all_sentences = [
        *gate_sentence(gates),
        *_doubtful(doubt),
        *_accuracy(metrics),
        *([] if says_why else confused),
    ]
    return Overview(all_sentences, confused, shares, means, gates, gates_problem)


def _metric(name: str, entry: Mapping[str, Any]) -> Metric:
    value = math.inf if entry["value"] is None else entry["value"]  # JSON has no word for it
    return Metric(name, value, entry["n"], entry.get("low"), entry.get("high"))


def gate_sentence(gates: Mapping[str, Any] | None) -> list[str]:
    """Say whether all gates were passed; nothing where there are none."""
    if gates is None:
        return []
    failed = [gate for gate in gates["gates"] if not gate["passed"]]
    return [verdict(len(failed), len(gates["gates"]))]


def gates_line(gates: Sequence[Mapping[str, Any]]) -> str:
    """Say how many gates were passed; of those that were not, which.

    >>> from errlens.analysis.gates.texts import GateTexts
    >>> failed = {"name": "top1 >= 0.8", "passed": False, "texts": GateTexts("0.7", "", "", "")}
    >>> gates_line([failed, {"name": "n_failed <= 0", "passed": True}])
    '1 of 2 gates passed; failed: top1 >= 0.8 (0.7)'
    """
    failed = [f"{gate['name']} ({gate['texts'].value})" for gate in gates if not gate["passed"]]
    passed = f"{count(len(gates) - len(failed))} of {counted(len(gates), 'gate')} passed"
    if not failed:
        return passed
    more = len(failed) - _GATES_NAMED
    return f"{passed}; failed: {', '.join(failed[:_GATES_NAMED])}" + (
        f" and {count(more)} more" if more > 0 else ""
    )


def _doubtful(signs: Sequence[str]) -> list[str]:
    """Say before anything else that all of it may be due to a mistake of the evaluation."""
    if not signs:
        return []
    return [
        f"In doubt: {'; '.join(signs)}. The preprocessing or the order of the classes may not be "
        "that of the training: read everything else with that in mind."
    ]


def _accuracy(metrics: Mapping[str, Any]) -> list[str]:
    """Say how many images are right, and how many do not count."""
    top1 = metrics.get("top1")
    lost = [f"{count(metrics[key])} {why}" for key, why in _LOST.items() if metrics.get(key)]
    rest = (
        [f"Of {counted(metrics['n'], 'image')}, these do not count: {', '.join(lost)}."]
        if lost
        else []
    )
    if metrics.get("n_infinite_loss"):
        rest.append(f"{infinite_nll(metrics['n_infinite_loss'])}.")
    if not top1:
        has_labels = metrics.get("n_label_unknown") or not metrics.get("n_unlabelled")
        return [NOTHING_SCORED, *rest] if has_labels else [_unlabelled(metrics)]
    n = top1["n"]
    right = round(top1["value"] * n)
    return [
        f"{share(top1['value'], n)} right ({count(right)} of {counted(n, 'image')}; 95 % interval "
        f"{share_range(top1['low'], top1['high'], n)}), {count(n - right)} wrong.",
        *rest,
    ]


def _unlabelled(metrics: Mapping[str, Any]) -> str:
    """Say what there is without labels: that there are none is no failure."""
    n, failed = metrics["n"], metrics.get("n_failed", 0)
    predicted = f"{count(n - failed)} of {counted(n, 'image')}"
    was = "was" if n == 1 else "were"
    return f"{predicted} {was} predicted; without labels, nothing is right or wrong here."


def _confused(confusion: Part, matrix: ConfusionMatrix) -> list[str]:
    """Say which classes are mixed up; of no image nothing can be said but what accuracy says."""
    if confusion.problem or not matrix.total:
        return []
    return sentences(matrix, confusion.tables["pairs"], confusion.tables["absorbed"])

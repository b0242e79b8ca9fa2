"""The metrics that gates may name, of a run or of a confusion matrix, with intervals and images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS, class_rates, infinite_nll
from errlens.analysis.confusion.matrix import COLUMNS, ConfusionMatrix, confusion_matrix
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames
from errlens.errors import StaleRun
from errlens.formats import counted
from errlens.run.folder import RunFolder
from errlens.run.identity import afresh

PAIR: Final = "pair"
FINDING: Final = "finding"
RECALL: Final = "recall"
OF_A_CLASS: Final = (RECALL, "precision", "f1")
_OF_PROBABILITIES: Final = {
    "nll": "NLL", "brier": "Brier score", "ece": "ECE", "ece_equal_mass": "ECE (equal mass)",
    "top5": "top-5 accuracy",
}  # fmt: skip
_NO_METRICS: Final = ("schema_version",)  # numbers of metrics.json that say nothing of the model


class Measured(NamedTuple):
    """The value of a metric with its 95 % interval and images; what is None is not known.

    `missing` says why there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    missing: str = ""


@dataclass(frozen=True)
class RunMetrics:
    """What gates are held against; each part is read when the first gate asks for it.

    `overall` is what metrics.json holds, `class_table` classes.csv in the order of the classes.
    `findings` says of each kind of finding how many there are, or why that is not known.
    """

    classes: ClassNames
    overall: Callable[[], Mapping[str, Any]]
    class_table: Callable[[], pd.DataFrame]
    matrix: Callable[[], ConfusionMatrix]
    findings: Callable[[], Mapping[str, int | str]] = dict


def metrics_of_run(
    run: RunFolder, findings: Callable[[], Mapping[str, int | str]] = dict
) -> RunMetrics:
    """Return the metrics of a run; `findings` as in `RunMetrics`."""
    classes = run.info.classes
    return RunMetrics(
        classes,
        overall=cache(lambda: _metrics(run)),
        class_table=cache(lambda: _class_table(run)),
        matrix=cache(lambda: confusion_matrix(run.read_parts(COLUMNS), classes)),
        findings=cache(findings),
    )


def metrics_of_matrix(matrix: ConfusionMatrix, overall: Mapping[str, Any]) -> RunMetrics:
    """Return the metrics of a confusion matrix; `overall` is what metrics.json would hold."""
    return RunMetrics(
        matrix.classes,
        overall=lambda: overall,
        class_table=lambda: pd.DataFrame(
            class_rates(matrix.counts.diagonal(), matrix.n, matrix.n_predicted)
        ),
        matrix=lambda: matrix,
    )


def names_of_metrics(overall: Mapping[str, Any]) -> list[str]:
    """Return the names in metrics.json that stand for one number, be it missing here."""
    return [
        name
        for name, value in overall.items()
        if name not in _NO_METRICS
        and (value is None or isinstance(value, int | float) or _has_value(value))
    ]


def read_metric(kind: str, classes: tuple[int, ...], metrics: RunMetrics) -> Measured:
    """Return a metric of metrics.json or, where there are classes, recall, ... or pair of these."""
    if kind == PAIR:
        return _pair_rate(classes, metrics)
    if classes:
        return _of_a_class(kind, classes[0], metrics)
    if kind.startswith(f"{FINDING}:"):
        return _n_findings(kind.removeprefix(f"{FINDING}:"), metrics)
    overall = metrics.overall()
    entry = overall[kind]
    if kind == "nll" and entry is not None and entry["value"] is None:
        return Measured(None, n=entry["n"], missing=infinite_nll(overall["n_infinite_loss"]))
    if not _has_value(entry):
        entry = {"value": entry, "n": overall.get("n")}
    if entry["value"] is None or entry.get("n") == 0:
        return Measured(None, n=0, missing=_why_missing(kind, len(metrics.classes), overall))
    return Measured(entry["value"], entry.get("low"), entry.get("high"), entry.get("n"))


def _n_findings(kind: str, metrics: RunMetrics) -> Measured:
    """Return how many findings of a kind there are; not known where nobody looked for them."""
    known = metrics.findings()[kind]
    return Measured(None, missing=known) if isinstance(known, str) else Measured(known)


def _why_missing(metric: str, n_classes: int, overall: Mapping[str, Any]) -> str:
    if metric == "top5" and n_classes <= 5:
        return f"top5 means nothing with {counted(n_classes, 'class')}"
    if metric in _OF_PROBABILITIES and overall.get("top1"):  # labels there are: of a table
        name = _OF_PROBABILITIES[metric]
        return f"the run has no {name}: the table imported has no probabilities of the classes"
    return "no image has the label, the probabilities or the superclass that it takes"


def _of_a_class(kind: str, index: int, metrics: RunMetrics) -> Measured:
    name = metrics.classes[index]
    row: Mapping[Any, Any] = metrics.class_table().iloc[index].to_dict()
    if kind == "precision":
        n = int(metrics.matrix().n_predicted[index])
        missing = f"no image was taken for {name!r}"
    else:
        n, missing = int(row["n"]), f"the run has no image of {name!r} that counts"
    if not n or pd.isna(row[kind]):
        return Measured(None, n=n, missing=missing)
    if kind == "f1":
        return Measured(float(row[kind]), n=n)
    return Measured(float(row[kind]), float(row[f"{kind}_low"]), float(row[f"{kind}_high"]), n)


def _pair_rate(classes: tuple[int, ...], metrics: RunMetrics) -> Measured:
    """Return which share of the images of two classes was taken for the other one."""
    ends, matrix = np.array(classes), metrics.matrix()
    n = int(matrix.n[ends].sum())
    if not n:
        names = " or ".join(repr(metrics.classes[index]) for index in classes)
        return Measured(None, n=0, missing=f"the run has no image of {names} that counts")
    within = matrix.among(ends)
    mixed_up = int(within[0, 1] + within[1, 0])
    low, high = wilson_interval(mixed_up, n)
    return Measured(mixed_up / n, float(low), float(high), n)


def _metrics(run: RunFolder) -> Mapping[str, Any]:
    overall = run.metrics
    if overall.get("run_hash") != run.info.run_hash:
        raise StaleRun(f"{str(run.metrics_file)!r} is of another run", hint=afresh(run.path))
    return overall


def _class_table(run: RunFolder) -> pd.DataFrame:
    table = run.read_classes(CLASS_COLUMNS)
    if tuple(table["class_name"]) != run.info.classes.names:
        raise StaleRun(f"{str(run.classes_file)!r} was changed", hint=afresh(run.path))
    return table


def _has_value(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("value"), int | float | None)

"""What a run is held to: the figures that gates may name, with their intervals and images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.accuracy.metrics import class_rates, infinite_nll
from errlens.analysis.confusion.matrix import COLUMNS, ConfusionMatrix, confusion_matrix
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames
from errlens.errors import StaleRun
from errlens.formats import counted
from errlens.run.folder import RunFolder
from errlens.run.reading import CLASS_METRICS
from errlens.run.tables import AFRESH

PAIR: Final = "pair"
RECALL: Final = "recall"
OF_A_CLASS: Final = (RECALL, "precision", "f1")
_NO_FIGURES: Final = ("schema_version",)  # numbers of metrics.json that say nothing of the model


class Measured(NamedTuple):
    """A figure with its 95 % interval and images; what is None is not known.

    `missing` says why there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    missing: str = ""


@dataclass(frozen=True)
class Figures:
    """What gates are held against; each part is read when the first gate asks for it.

    `metrics` is what metrics.json holds, `class_table` classes.csv in the order of the classes.
    """

    classes: ClassNames
    metrics: Callable[[], Mapping[str, Any]]
    class_table: Callable[[], pd.DataFrame]
    matrix: Callable[[], ConfusionMatrix]


def figures_of(run: RunFolder) -> Figures:
    """Return the figures of a run."""
    classes = run.info.classes
    return Figures(
        classes,
        metrics=cache(lambda: _metrics(run)),
        class_table=cache(lambda: _class_table(run)),
        matrix=cache(lambda: confusion_matrix(run.read_parts(COLUMNS), classes)),
    )


def figures_of_matrix(matrix: ConfusionMatrix, metrics: Mapping[str, Any]) -> Figures:
    """Return the figures that a confusion matrix gives; `metrics` as in metrics.json."""
    return Figures(
        matrix.classes,
        metrics=lambda: metrics,
        class_table=lambda: pd.DataFrame(
            class_rates(matrix.counts.diagonal(), matrix.n, matrix.n_predicted)
        ),
        matrix=lambda: matrix,
    )


def names_of_figures(metrics: Mapping[str, Any]) -> list[str]:
    """Return the names in metrics.json that stand for one number, be it missing here."""
    return [
        name
        for name, value in metrics.items()
        if name not in _NO_FIGURES
        and (value is None or isinstance(value, int | float) or _is_figure(value))
    ]


def measure(figure: str, classes: tuple[int, ...], figures: Figures) -> Measured:
    """Return a figure of metrics.json or, where there are classes, recall, ... or pair of these."""
    if figure == PAIR:
        return _pair_rate(classes, figures)
    if classes:
        return _of_a_class(figure, classes[0], figures)
    metrics = figures.metrics()
    found = metrics[figure]
    if not _is_figure(found):
        found = {"value": found, "n": metrics.get("n")}
    if figure == "nll" and found["value"] is None:
        return Measured(None, n=found["n"], missing=infinite_nll(metrics["n_infinite_loss"]))
    if found["value"] is None or found.get("n") == 0:
        return Measured(None, n=0, missing=_why_missing(figure, len(figures.classes)))
    return Measured(found["value"], found.get("low"), found.get("high"), found.get("n"))


def _why_missing(metric: str, n_classes: int) -> str:
    if metric == "top5" and n_classes <= 5:
        return f"top5 means nothing with {counted(n_classes, 'class')}"
    return "no image has the label, the probabilities or the superclass that it takes"


def _of_a_class(kind: str, index: int, figures: Figures) -> Measured:
    name = figures.classes[index]
    row: Mapping[Any, Any] = figures.class_table().iloc[index].to_dict()
    if kind == "precision":
        n = int(figures.matrix().n_predicted[index])
        missing = f"no image was taken for {name!r}"
    else:
        n, missing = int(row["n"]), f"the run has no image of {name!r} that counts"
    if not n or pd.isna(row[kind]):
        return Measured(None, n=n, missing=missing)
    if kind == "f1":
        return Measured(float(row[kind]), n=n)
    return Measured(float(row[kind]), float(row[f"{kind}_low"]), float(row[f"{kind}_high"]), n)


def _pair_rate(classes: tuple[int, ...], figures: Figures) -> Measured:
    """Return which share of the images of two classes was taken for the other one."""
    ends, matrix = np.array(classes), figures.matrix()
    n = int(matrix.n[ends].sum())
    if not n:
        names = " or ".join(repr(figures.classes[index]) for index in classes)
        return Measured(None, n=0, missing=f"the run has no image of {names} that counts")
    within = matrix.among(ends)
    mixed_up = int(within[0, 1] + within[1, 0])
    low, high = wilson_interval(mixed_up, n)
    return Measured(mixed_up / n, float(low), float(high), n)


def _metrics(run: RunFolder) -> Mapping[str, Any]:
    found = run.metrics
    if found.get("run_hash") != run.info.run_hash:
        raise StaleRun(f"{str(run.metrics_file)!r} is of another run", hint=AFRESH)
    return found


def _class_table(run: RunFolder) -> pd.DataFrame:
    found = run.read_classes()
    odd = tuple(found["class_name"]) != run.info.classes.names
    if odd or not {*CLASS_METRICS} <= set(found.select_dtypes("number")):
        raise StaleRun(f"{str(run.classes_file)!r} was changed", hint=AFRESH)
    return found


def _is_figure(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("value"), int | float | None)

"""Accuracy, calibration and rates of each class, as functions of the predictions table."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.accuracy.calibration import (
    ReliabilityBin,
    equal_mass_bins,
    expected_calibration_error,
    reliability,
)
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import Superclasses
from errlens.formats import counted
from errlens.predictions.table import LABEL_UNKNOWN, OK, SCHEMA_VERSION, Predictions
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

# All that this module reads; the rest of the table can stay on disk.
COLUMNS: Final = (
    "status", "label", "pred", "confidence", "loss", "brier", "label_rank",
    "super_label", "super_pred",
)  # fmt: skip

# classes.csv
CLASS_COLUMNS: Final = {
    "class_index": WHOLE, "class_name": TEXT, "superclass": TEXT, "n": WHOLE,
    "recall": NUMBER, "recall_low": NUMBER, "recall_high": NUMBER,
    "precision": NUMBER, "precision_low": NUMBER, "precision_high": NUMBER, "f1": NUMBER,
}  # fmt: skip


class Proportion(NamedTuple):
    """A share of n images, with its Wilson 95 % interval."""

    value: float
    low: float
    high: float
    n: int


class Mean(NamedTuple):
    """A mean over n images (`macro_f1`: over the classes that n images have or were taken for).

    The value is None where it is infinite, for which JSON has no word.
    """

    value: float | None
    n: int


class SuperclassAccuracy(NamedTuple):
    """How the images of one superclass fare: the right class, and at least the right superclass."""

    superclass: str
    top1: Proportion | None
    super_top1: Proportion | None


@dataclass(frozen=True)
class Metrics:
    """What `metrics.json` holds. A metric that no image counts for is None.

    `n_infinite_loss` counts the images whose label was given no chance at all; one of them makes
    `nll` infinite.
    """

    n: int
    n_ok: int
    n_failed: int
    n_unlabelled: int
    n_label_unknown: int
    n_infinite_loss: int
    top1: Proportion | None
    top5: Proportion | None
    super_top1: Proportion | None
    nll: Mean | None
    brier: Mean | None
    ece: Mean | None
    ece_equal_mass: Mean | None
    macro_f1: Mean | None
    by_superclass: list[SuperclassAccuracy]
    reliability: list[ReliabilityBin]
    schema_version: int = SCHEMA_VERSION

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {key: _plain(value) for key, value in vars(self).items()}


class _Scored(NamedTuple):
    """The rows that count: predicted, with a label among the classes.

    What predictions made elsewhere do not say is NaN, or -1 where it is an integer.
    """

    label: NDArray[np.int32]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]
    brier: NDArray[np.float32]
    label_rank: NDArray[np.int32]
    super_label: NDArray[np.int32]
    super_pred: NDArray[np.int32]


def measure(predictions: Predictions) -> Metrics:
    """Compute all metrics over all classes. Top-5 is None for five classes or fewer."""
    status = predictions.table["status"]
    scored = _scored(predictions)
    correct = scored.pred == scored.label
    n = len(correct)
    rank = scored.label_rank[scored.label_rank > 0]
    n_ok = _count(pc.equal(status, OK))
    n_label_unknown = _count(pc.equal(status, LABEL_UNKNOWN))
    known = ~np.isnan(scored.confidence)
    confidence, right = scored.confidence[known], correct[known]
    bins = reliability(confidence, right)
    return Metrics(
        n=len(predictions),
        n_ok=n_ok,
        n_failed=len(predictions) - n_ok - n_label_unknown,
        n_unlabelled=n_ok - n,
        n_label_unknown=n_label_unknown,
        n_infinite_loss=int(np.isinf(scored.loss).sum()),
        top1=_proportion(correct),
        top5=_proportion(rank <= 5) if len(predictions.classes) > 5 else None,
        super_top1=_super_top1(scored) if predictions.superclasses else None,
        nll=_mean(scored.loss),
        brier=_mean(scored.brier),
        ece=_over(expected_calibration_error(bins), len(right)),
        ece_equal_mass=_over(
            expected_calibration_error(equal_mass_bins(confidence, right)), len(right)
        ),
        macro_f1=macro_f1(class_table(predictions)["f1"].to_numpy(), n),
        by_superclass=_by_superclass(scored, correct, predictions.superclasses),
        reliability=bins if len(right) else [],
    )


def class_table(predictions: Predictions) -> pd.DataFrame:
    """Return one row a class: n images, recall, precision (both with interval) and F1.

    A rate that no image counts for is missing, not zero: recall where the class has no images,
    precision where it was never predicted, F1 where it has neither.
    """
    scored = _scored(predictions)
    classes, parents = predictions.classes, predictions.superclasses
    k = len(classes)
    n = np.bincount(scored.label, minlength=k)
    predicted = np.bincount(scored.pred, minlength=k)
    hits = np.bincount(scored.label[scored.label == scored.pred], minlength=k)
    superclass = [parents.name_of(index) if parents else None for index in range(k)]
    named = {"class_index": range(k), "class_name": classes.names, "superclass": superclass}
    return pd.DataFrame({**named, **class_rates(hits, n, predicted)})


def class_rates(
    hits: NDArray[np.integer], n: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, NDArray[Any]]:
    """Return the columns `n`, recall and precision with intervals, and F1, shape (classes,)."""
    with np.errstate(invalid="ignore"):
        f1 = 2 * hits / (n + predicted)
        rates = {**_rate("recall", hits, n), **_rate("precision", hits, predicted)}
    return {"n": n, **rates, "f1": f1}


def _rate(
    name: str, hits: NDArray[np.integer], trials: NDArray[np.integer]
) -> dict[str, NDArray[np.float64]]:
    low, high = wilson_interval(hits, trials)
    known = trials > 0
    columns = {name: hits / trials, f"{name}_low": low, f"{name}_high": high}
    return {column: np.where(known, values, np.nan) for column, values in columns.items()}


def _scored(predictions: Predictions) -> _Scored:
    return _Scored(*map(_values, predictions.judged.select(_Scored._fields).columns))


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    values: NDArray[Any] = column.fill_null(
        np.nan if pa.types.is_floating(column.type) else -1
    ).to_numpy()
    return values


def _super_top1(scored: _Scored) -> Proportion | None:
    known = scored.super_label >= 0
    return _proportion((scored.super_label == scored.super_pred)[known])


def _by_superclass(
    scored: _Scored, correct: NDArray[np.bool_], superclasses: Superclasses | None
) -> list[SuperclassAccuracy]:
    accuracies = []
    for index, name in enumerate(superclasses.names if superclasses else ()):
        inside = scored.super_label == index
        same = scored.super_pred[inside] == index
        accuracies.append(SuperclassAccuracy(name, _proportion(correct[inside]), _proportion(same)))
    return accuracies


def macro_f1(f1: NDArray[np.float64], n: int) -> Mean | None:
    """Return the mean F1 over the classes that n images have as their label or were taken for.

    That is `sklearn.metrics.f1_score(label, pred, average="macro")`: a class that some image was
    taken for, though none is of it, counts with an F1 of zero.

    Args:
        f1: As `class_rates` has it.
        n: Of how many images; without any there is no mean.
    """
    return _over(float(np.nanmean(f1)) if n else None, n)


def infinite_nll(n_images: int) -> str:
    """Say why the NLL is infinite.

    >>> infinite_nll(1)
    'NLL is infinite: 1 image gives its true class no chance at all'
    """
    verb = "gives its" if n_images == 1 else "give their"
    return f"NLL is infinite: {counted(n_images, 'image')} {verb} true class no chance at all"


def proportion(hits: int, n: int) -> Proportion | None:
    """Return the share of n images that is right, None where there is none."""
    if not n:
        return None
    low, high = wilson_interval(hits, n)
    return Proportion(hits / n, float(low), float(high), n)


def _proportion(hits: NDArray[np.bool_]) -> Proportion | None:
    return proportion(int(hits.sum()), len(hits))


def _mean(values: NDArray[np.float32]) -> Mean | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    mean = float(known.mean(dtype=np.float64))
    return Mean(mean if np.isfinite(mean) else None, len(known))


def _over(value: float | None, n: int) -> Mean | None:
    return None if value is None else Mean(value, n)


def _count(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _plain(inner) for key, inner in value._asdict().items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value

"""Put a part of the predictions table together from predictions made elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.names import ClassNames, Superclasses, class_parents
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import Scores, score
from errlens.predictions.table import OK, SCHEMA

_NOTHING: Final = float(np.finfo(np.float64).smallest_subnormal)  # stands for a probability of 0

# What only the model's raw outputs tell, and what only its probabilities tell.
_OF_OUTPUTS: Final = ("logsumexp",)
_OF_PROBABILITIES: Final = (
    "confidence", "label_prob", "margin", "loss", "entropy", "brier", "label_rank",
    "topk_index", "topk_prob", "super_pred_prob",
)  # fmt: skip


def part_of_probabilities(
    plan: pa.Table,
    seen: Sequence[Seen],
    prob: NDArray[np.float64],
    label: NDArray[np.int32],
    *,
    classes: ClassNames,
    superclasses: Superclasses | None = None,
    topk: int,
) -> pa.Table:
    """Return a part for rows of which the probability of every class is known.

    Rows with a probability that is not finite get the status failed. Probabilities are scaled to
    a sum of one. A label given no chance at all has an infinite loss.

    Args:
        plan: The shard's rows of the plan.
        seen: One entry a row.
        prob: Shape (rows, classes); it means nothing where `seen` is not ok.
        label: The class index of each row, -1 where it has none.
        classes: The class names.
        superclasses: The superclasses, if any.
        topk: How many classes are listed.
    """
    is_ok = np.array([image.status == OK for image in seen], bool)
    prob, of_label = prob[is_ok], label[is_ok]
    known = np.where(np.isfinite(prob), np.maximum(prob, _NOTHING), np.nan)
    scores = score(np.log(known), of_label, topk=topk, superclasses=superclasses)
    no_chance = prob[np.arange(len(prob)), np.maximum(of_label, 0)] == 0
    scores = scores._replace(loss=np.where(no_chance, np.float32(np.inf), scores.loss))
    table = part_table(plan, seen, scores, label, classes=classes, superclasses=superclasses)
    return _without(table, _OF_OUTPUTS)


def part_of_classes(
    plan: pa.Table,
    seen: Sequence[Seen],
    pred: NDArray[np.int32],
    confidence: NDArray[np.float64] | None,
    label: NDArray[np.int32],
    *,
    classes: ClassNames,
    superclasses: Superclasses | None = None,
) -> pa.Table:
    """Return a part for rows of which the predicted class is known, perhaps its probability.

    Arguments are as above; `pred` and `confidence` have an entry a row, which means nothing where
    `seen` is not ok. What follows from the probabilities of all classes is null.
    """
    is_known = np.array([image.status == OK for image in seen], bool)
    scores = _scores(pred[is_known], label[is_known], class_parents(superclasses, len(classes)))
    table = part_table(plan, seen, scores, label, classes=classes, superclasses=superclasses)
    table = _without(table, (*_OF_OUTPUTS, *_OF_PROBABILITIES))
    if confidence is None:
        return table
    known = pa.array(confidence.astype(np.float32), mask=~is_known | np.isnan(confidence))
    return _with(table, {"confidence": known})


def _scores(
    pred: NDArray[np.int32], label: NDArray[np.int32], parents: NDArray[np.int32]
) -> Scores:
    """Return scores that say no more than the predicted class; the rest is zero."""
    nothing = np.zeros(len(pred), np.float32)
    unset: dict[str, NDArray[np.float32]] = dict.fromkeys(Scores._fields, nothing)
    return Scores(
        **{
            **unset,
            "finite": np.ones(len(pred), bool),
            "label": label,
            "pred": pred,
            "label_rank": nothing.astype(np.int32),
            "topk_index": pred[:, None],
            "topk_prob": nothing[:, None],
            "super_pred": parents[pred],
        }
    )


def _without(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    return _with(table, {name: pa.nulls(len(table), SCHEMA.field(name).type) for name in columns})


def _with(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Replace columns."""
    for name, values in columns.items():
        field = SCHEMA.field(name)
        table = table.set_column(SCHEMA.get_field_index(name), field, values.cast(field.type))
    return table

"""Put one part of the predictions table together."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS, ClassNames, Superclasses, class_parents
from errlens.predictions.scores import Scores
from errlens.predictions.table import FAILED, LABEL_UNKNOWN, OK, SCHEMA


class Seen(NamedTuple):
    """What became of one input before the model saw it; status is ok if the model did."""

    status: str
    error: str | None = None
    width: int | None = None
    height: int | None = None
    content_hash: bytes | None = None


# Columns of the table that are columns of `Scores`: about the outputs, and about the label.
_OF_OUTPUTS = ("pred", "confidence", "entropy", "logsumexp")
_OF_LABEL = ("label_prob", "margin", "loss", "brier", "label_rank")


def part_table(
    plan: pa.Table,
    seen: Sequence[Seen],
    scores: Scores,
    label: NDArray[np.int32],
    *,
    classes: ClassNames,
    superclasses: Superclasses | None = None,
    with_logits: bool = False,
) -> pa.Table:
    """Join the rows of a shard with what was seen and scored.

    Args:
        plan: The shard's rows of the plan.
        seen: One entry a row.
        scores: One entry for each row whose `seen` is ok, in order.
        label: The class index of each row, `NO_CLASS` where it has none.
        classes: The class names.
        superclasses: The superclasses, if any.
        with_logits: Number the scored rows for the part's logits and features.
    """
    fed = np.array([image.status == OK for image in seen], dtype=bool)
    scored = np.zeros(len(seen), dtype=bool)
    scored[fed] = scores.finite
    failed = fed & ~scored
    unknown = scored & np.array(plan["label_name"].is_valid()) & (label == NO_CLASS)
    spread = _Spread(scored, scores)
    labelled = label != NO_CLASS
    parents = class_parents(superclasses, len(classes))
    super_label = np.where(labelled, parents[label], NO_CLASS)
    in_superclass = spread.values(scores.super_pred) != NO_CLASS
    names = pa.array(classes.names, pa.string())
    columns: dict[str, pa.Array] = {
        **{name: plan[name] for name in ("row", "sample_id", "path", "split")},
        "content_hash": pa.array([image.content_hash for image in seen], pa.binary(16)),
        "status": pa.array(
            np.select([failed, unknown], [FAILED, LABEL_UNKNOWN], [image.status for image in seen])
        ),
        "error": pa.array(_errors(seen, failed, unknown), pa.string()),
        "width": pa.array([image.width for image in seen], pa.int32()),
        "height": pa.array([image.height for image in seen], pa.int32()),
        "label": _masked(label, labelled),
        "correct": _masked(spread.values(scores.pred) == label, scored & labelled),
        "topk_index": spread.lists(scores.topk_index),
        "topk_prob": spread.lists(scores.topk_prob),
        "super_label": _masked(super_label, super_label != NO_CLASS),
        "super_pred": spread.column("super_pred", where=in_superclass),
        "super_pred_prob": spread.column("super_pred_prob", where=in_superclass),
        "logits_row": _masked(np.cumsum(scored) - 1, scored & with_logits),
        **{name: spread.column(name) for name in _OF_OUTPUTS},
        **{name: spread.column(name, where=labelled) for name in _OF_LABEL},
    }
    for kind in ("label", "pred"):
        indices = columns[kind].cast(pa.int32())
        columns[f"{kind}_name"] = pa.DictionaryArray.from_arrays(indices, names)
    # A label that is none of the classes is still worth its name.
    columns["label_name"] = pc.if_else(
        pa.array(unknown), plan["label_name"], columns["label_name"].cast(pa.string())
    )
    return pa.table([_as(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


class _Spread:
    """Spreads columns about the scored rows over all rows."""

    def __init__(self, scored: NDArray[np.bool_], scores: Scores) -> None:
        self._scored = scored
        self._scores = scores

    def values(self, scored_values: NDArray[Any]) -> NDArray[Any]:
        """Return one value a row; zero where nothing was scored."""
        spread = np.zeros((len(self._scored), *scored_values.shape[1:]), scored_values.dtype)
        spread[self._scored] = scored_values[self._scores.finite]
        return spread

    def column(self, name: str, *, where: NDArray[np.bool_] | bool = True) -> pa.Array:
        """Return a column of the scores, null where nothing was scored or `where` is False."""
        return _masked(self.values(getattr(self._scores, name)), self._scored & where)

    def lists(self, scored_values: NDArray[Any]) -> pa.Array:
        """Return a column of lists, null where nothing was scored."""
        lengths = self._scored * scored_values.shape[1]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = pa.array(scored_values[self._scores.finite].ravel())
        return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(~self._scored))


def _masked(values: NDArray[Any], valid: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~valid)


def _errors(
    seen: Iterable[Seen], failed: NDArray[np.bool_], unknown: NDArray[np.bool_]
) -> list[str | None]:
    reasons = np.select(
        [failed, unknown], ["outputs are not finite", "label is none of the classes"], ""
    )
    return [reason or image.error for image, reason in zip(seen, reasons.tolist(), strict=True)]


def _as(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.cast(kind)

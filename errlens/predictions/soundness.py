"""What is wrong with a predictions table, which may come from a damaged or foreign run.

What the tables of a run are taken for elsewhere, such as an index for one of the classes, is
checked here once, when they are read.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from errlens.classes.names import ClassNames, Superclasses
from errlens.predictions.table import LABEL_UNKNOWN, OK, STATUSES

_NEVER_MISSING: Final = ("row", "sample_id", "path", "status")
_OF_CLASSES: Final = ("label", "pred", "topk_index")
_OF_SUPERCLASSES: Final = ("super_label", "super_pred")
_ROUNDED: Final = 1e-4  # a sum of float32 may be a little more than 1
_SHARES: Final = ("confidence", "label_prob", "topk_prob", "super_pred_prob")


class _Part(NamedTuple):
    """Consecutive rows, and what they are held against."""

    table: pa.Table
    classes: ClassNames
    superclasses: Superclasses | None
    first_row: int

    def has(self, *names: str) -> bool:
        return set(names) <= set(self.table.column_names)

    def those_of(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.has(name)]


def unsound(
    table: pa.Table, classes: ClassNames, superclasses: Superclasses | None, *, first_row: int
) -> str | None:
    """Return what is wrong with consecutive rows of the predictions, None if nothing is.

    Args:
        table: Any columns of the predictions.
        classes: Those that its indices mean.
        superclasses: Likewise.
        first_row: The number of its first row.
    """
    part = _Part(table, classes, superclasses, first_row)
    return next((problem for check in _CHECKS for problem in check(part)), None)


def _nothing_missing(part: _Part) -> Iterator[str]:
    for name in part.those_of(_NEVER_MISSING):
        if part.table[name].null_count:
            yield f"{name} is missing somewhere"


def _rows_of_the_plan(part: _Part) -> Iterator[str]:
    if part.has("row"):
        expected = _numbers(part.first_row, len(part.table))
        if not _all(pc.equal(part.table["row"], expected)):
            yield "the rows are not those of the plan"


def _known_statuses(part: _Part) -> Iterator[str]:
    if part.has("status") and not _all(_is_in(part.table["status"], STATUSES)):
        yield "there is a status that errlens does not know"


def _numbers_of_classes(part: _Part) -> Iterator[str]:
    n_super = len(part.superclasses.names) if part.superclasses else 0
    for names, count in ((_OF_CLASSES, len(part.classes)), (_OF_SUPERCLASSES, n_super)):
        for name in part.those_of(names):
            values = _values(part.table[name])
            if not _within(values, 0, count - 1):
                ends = pc.min_max(values).as_py()
                odd = ends["min"] if ends["min"] < 0 else ends["max"]
                yield f"{name} holds {odd}, outside the {count} classes"
    if part.has("label_rank") and not _within(part.table["label_rank"], 1, len(part.classes)):
        yield "label_rank holds what is no rank"


def _finite_shares(part: _Part) -> Iterator[str]:
    for name in part.those_of(_SHARES):
        if not _within(_values(part.table[name]), 0, 1 + _ROUNDED):
            yield f"{name} holds what is no probability"
    for field in part.table.schema:
        if pa.types.is_floating(field.type) and _any(pc.is_nan(part.table[field.name])):
            yield f"{field.name} holds what is no number"


def _names_of_classes(part: _Part) -> Iterator[str]:
    names = pa.array(part.classes.names, pa.string())
    for kind in ("label", "pred"):
        if part.has(kind, f"{kind}_name"):
            meant = names.take(part.table[kind].combine_chunks())
            if not _all(pc.equal(meant, part.table[f"{kind}_name"].cast(pa.string()))):
                yield f"{kind}_name is not the name of {kind}"


def _predicted_where_ok(part: _Part) -> Iterator[str]:
    if part.has("status", "pred"):
        is_predicted = _is_in(part.table["status"], (OK, LABEL_UNKNOWN))
        if not _all(pc.equal(is_predicted, pc.is_valid(part.table["pred"]))):
            yield "status and pred do not agree on what was predicted"


def _correct_where_right(part: _Part) -> Iterator[str]:
    if part.has("label", "pred", "correct"):
        correct = part.table["correct"]
        is_right = pc.equal(part.table["label"], part.table["pred"])
        if is_right.null_count != correct.null_count or not _all(pc.equal(is_right, correct)):
            yield "correct does not say whether label and pred are the same"


def _lists_of_one_length(part: _Part) -> Iterator[str]:
    if part.has("topk_index", "topk_prob"):
        index, prob = (
            pc.list_value_length(part.table[name]) for name in ("topk_index", "topk_prob")
        )
        if not index.equals(prob):
            yield "topk_index and topk_prob are not of one length"


def _counted_rows_of_logits(part: _Part) -> Iterator[str]:
    if part.has("logits_row"):
        kept = part.table["logits_row"].drop_null()
        if not _all(pc.equal(kept, _numbers(0, len(kept)))):
            yield "logits_row does not count the rows kept"


_CHECKS: Final[tuple[Callable[[_Part], Iterator[str]], ...]] = (
    _nothing_missing,
    _rows_of_the_plan,
    _known_statuses,
    _numbers_of_classes,
    _finite_shares,
    _names_of_classes,
    _predicted_where_ok,
    _correct_where_right,
    _lists_of_one_length,
    _counted_rows_of_logits,
)


def _numbers(first: int, count: int) -> pa.Array:
    return pa.array(np.arange(first, first + count), pa.int64())


def _is_in(column: pa.ChunkedArray, names: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.is_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))


def _values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the numbers of a column, those in lists as well."""
    return pc.list_flatten(column) if pa.types.is_list(column.type) else column


def _within(values: pa.ChunkedArray, low: float, high: float) -> bool:
    ends = pc.min_max(values).as_py()
    return ends["min"] is None or (ends["min"] >= low and ends["max"] <= high)


def _all(mask: Any) -> bool:
    """Tell whether nothing is false; what is not known is not."""
    return pc.all(mask).as_py() is not False


def _any(mask: Any) -> bool:
    return pc.any(mask).as_py() is True

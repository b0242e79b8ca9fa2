"""Errors that get even the superclass wrong: a breed of cats taken for a breed of dogs."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS, Superclasses, class_parents
from errlens.predictions.table import Predictions
from errlens.run.csv_tables import ANY_NUMBER, NUMBER, TEXT, WHOLE

COLUMNS: Final = (
    "row", "sample_id", "status", "label", "label_name", "pred", "pred_name", "confidence", "loss",
    "super_pred_prob",
)  # fmt: skip
TOPK_COLUMNS: Final = ("topk_index", "topk_prob")

# exceptional.csv
EXCEPTIONAL_COLUMNS: Final = {
    "row": WHOLE, "sample_id": TEXT, "label_name": TEXT, "pred_name": TEXT, "super_label": TEXT,
    "super_pred": TEXT, "super_pred_prob": NUMBER, "confidence": NUMBER, "loss": ANY_NUMBER,
}  # fmt: skip


def exceptional_table(
    parts: Iterable[Predictions], superclasses: Superclasses, *, from_topk: bool = False
) -> pd.DataFrame:
    """Return the errors whose predicted class has another superclass, strongest first.

    That is by the probability given to the predicted superclass, then by the loss (both largest
    first, unknown ones last), then by row. Classes without a superclass are left out.

    Args:
        parts: Parts of a predictions table with `COLUMNS`.
        superclasses: The superclasses that count.
        from_topk: They are not those of the run, so that the probability is the sum over the
            classes of the stored top-k, which the parts then need as well. A column `at_least`
            tells where a class of the superclass is missing there.
    """
    tables = [_exceptional(part, superclasses, from_topk=from_topk) for part in parts]
    table = pd.concat(tables, ignore_index=True)
    order = np.lexsort(
        (table["row"], *(-table[key].fillna(-np.inf) for key in ("loss", "super_pred_prob")))
    )
    return table.iloc[order].reset_index(drop=True)


def _exceptional(part: Predictions, superclasses: Superclasses, *, from_topk: bool) -> pd.DataFrame:
    """Return the exceptional errors of one part, in its order."""
    table = part.judged
    parents = class_parents(superclasses, len(part.classes))
    super_label, super_pred = (parents[table[name].to_numpy()] for name in ("label", "pred"))
    crossed = (super_label != super_pred) & (super_label != NO_CLASS) & (super_pred != NO_CLASS)
    table = table.filter(pa.array(crossed))
    names = np.array(superclasses.names, object)
    columns = {
        name: table[name].to_pandas() for name in EXCEPTIONAL_COLUMNS if name in table.column_names
    }
    for name in ("label_name", "pred_name"):
        columns[name] = columns[name].astype("str")
    columns["super_label"] = pd.Series(names[super_label[crossed]], dtype="str")
    columns["super_pred"] = pd.Series(names[super_pred[crossed]], dtype="str")
    kept = [*EXCEPTIONAL_COLUMNS]
    if from_topk:
        columns["super_pred_prob"], columns["at_least"] = _sum_over_topk(
            table, super_pred[crossed], parents
        )
        kept.append("at_least")
    return pd.DataFrame(columns)[kept]


def _sum_over_topk(
    table: pa.Table, super_pred: NDArray[np.int32], parents: NDArray[np.int32]
) -> tuple[pd.Series, pd.Series]:
    """Return the probability of each row's superclass in its top-k, and where that is not all.

    Unknown where a row has no top-k.
    """
    lists = table["topk_index"].combine_chunks()
    length = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    row = np.repeat(np.arange(len(table)), length)
    inside = parents[lists.flatten().to_numpy()] == super_pred[row]
    prob = table["topk_prob"].combine_chunks().flatten().to_numpy()
    total = np.bincount(row, weights=prob * inside, minlength=len(table))
    listed = np.bincount(row, weights=inside, minlength=len(table))
    members = np.bincount(parents[parents != NO_CLASS], minlength=1)
    at_least = listed < members[super_pred]
    return (
        pd.Series(np.where(length > 0, total, np.nan), dtype="float32"),
        pd.Series(at_least, dtype=bool),
    )

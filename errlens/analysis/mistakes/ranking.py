"""The images that are wrong, the worst first."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.choices import Rank
from errlens.classes.names import Superclasses
from errlens.predictions.table import Predictions

_TABLE: Final = (
    "row", "sample_id", "path", "label_name", "pred_name", "confidence", "label_prob", "margin",
    "loss", "entropy", "super_label", "super_pred", "super_pred_prob", "width", "height",
)  # fmt: skip
COLUMNS: Final = (*_TABLE, "label", "pred", "correct")  # all that this module reads

# What makes an error worse, and whether more of it does; the first decides, then the next.
_WORSE: Final[dict[Rank, tuple[tuple[str, bool], ...]]] = {
    "loss": (("loss", True), ("margin", False)),
    "margin": (("margin", False),),
    "confidence": (("confidence", True),),
    "entropy": (("entropy", False),),
    "superclass": (("crossed", True), ("crossed_prob", True), ("loss", True)),
}


def worst_table(parts: Iterable[Predictions], by: Rank = "loss") -> pd.DataFrame:
    """Return the rows that are wrong, and only these, worst first; `rank` counts from 1.

    loss: largest first, then the margin (of infinite losses there may be many). margin: most
    negative. confidence: highest. entropy: lowest. superclass: those that cross a superclass by the
    probability given to it, then the others; both by loss.
    What is not known comes last, and ties go by row. Superclasses are named, and missing where a
    class has none.

    Args:
        parts: Parts of a predictions table with `COLUMNS`; at least one.
        by: The ranking.
    """
    tables = [
        image_table(replace(part, table=part.table.filter(pc.invert(part.table["correct"]))))
        for part in parts
    ]
    table = pd.concat(tables, ignore_index=True)
    crossed = crosses_superclass(table)
    keys = table.assign(crossed=crossed, crossed_prob=table["super_pred_prob"].where(crossed))
    worse = [_key(keys[name], more=more) for name, more in reversed(_WORSE[by])]
    order = np.lexsort([table["row"].to_numpy(), *worse])
    ranked = table.iloc[order].reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked


def is_known(images: Predictions, by: Rank) -> bool:
    """Tell whether the errors have the numbers of a ranking; without errors none are missing."""
    if by == "superclass":
        return True
    errors = images.table.filter(pc.invert(images.table["correct"]))
    values = errors[by]
    return not len(values) or values.null_count < len(values)


def crosses_superclass(table: pd.DataFrame) -> pd.Series:
    """Tell of each row whether true and predicted class have different superclasses."""
    known = table[["super_label", "super_pred"]].notna().all(axis=1)
    return known & (table["super_label"] != table["super_pred"])


def image_table(images: Predictions) -> pd.DataFrame:
    """Return what `worst_table` says of an image for any images, in their order, without a rank."""
    table = images.table
    columns = {name: table[name].to_pandas() for name in _TABLE}
    for name in ("label_name", "pred_name"):
        columns[name] = columns[name].astype("str")
    for name in ("super_label", "super_pred"):
        columns[name] = pd.Series(_super_names(table[name], images.superclasses), dtype="str")
    for name in ("width", "height"):
        columns[name] = columns[name].astype("Int32")
    return pd.DataFrame(columns)


def _super_names(indices: pa.ChunkedArray, superclasses: Superclasses | None) -> list[str | None]:
    names = superclasses.names if superclasses else ()
    return [None if index is None else names[index] for index in indices.to_pylist()]


def _key(values: pd.Series, *, more: bool) -> NDArray[np.float64]:
    """Return numbers that sort the worse values first, and unknown ones last."""
    known = values.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(known), np.inf, -known if more else known)

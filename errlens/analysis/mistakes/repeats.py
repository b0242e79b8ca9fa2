"""Errors that repeat: what is wrong the same way in several images that share a value of a column.

A camera, a site or the subject of a photo may be the cause, or chance: among many images some
errors share a value whatever the column holds. So each repetition is compared with a column whose
values are shuffled, and corrected for all that could repeat: a column that means nothing is named
in less than one of 200 runs. That a value is wrong more often in whatever way is a slice, which
`errlens.analysis.findings.causes.slices.search` looks for.
"""

import json
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.errors import UnfitOption, nearest, some
from errlens.predictions.table import LABEL_UNKNOWN, Predictions

LEAST_REPEATED: Final = 2
LEAST_SHOWN: Final = 3  # two may be two copies of one photo
ALPHA: Final = 0.005  # of a false alarm, whatever was tried

_CELL: Final = ["label_name", "pred_name"]
_COLUMNS: Final = (
    "value", "label_name", "pred_name", "k", "n", "share", "expected", "p_value", "q_value", "rows",
)  # fmt: skip


def systematic_table(images: Predictions, extra: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return what is wrong the same way in at least two images that share a value of a column.

    Columns: `value`; `label_name`, `pred_name`; `k`, the images wrong so; `n`, all of that value
    and label; `share`; `expected`, how many of them would be by chance; `p_value`, `q_value`;
    `rows`, a JSON list. Best evidence first: by q, then by p, then most images; ties by value and
    names.

    Chance: the images of a class have the predictions they have, and the values are dealt out among
    them anew (hypergeometric), so that a class that is often wrong is no evidence. A label that the
    model lacks is wrong whatever the model does: its values are dealt out among all images.
    `q_value` is Bonferroni's, over all that could repeat: each value and kind of error with two
    images.

    Args:
        images: All images, with `row`, `status`, `label_name`, `pred_name` and `correct`. Those
            without a label are left out; those without a value are what others are compared with.
        extra: Further columns of the manifest, one row a row of the plan.
        column: One of these.

    Raises:
        UnfitOption: There is no such column.
    """
    if column not in extra.columns:
        near = nearest(column, extra.columns) or list(extra.columns)
        raise UnfitOption(
            f"the run has no further column {column!r}",
            hint=f"it has {some(near)}" if near else "give a manifest with more columns",
        )
    known = _known(images, extra[column])
    kinds = (
        known[known["wrong"]]
        .groupby(["value", *_CELL], as_index=False)
        .agg(k=("row", "size"), unknown=("unknown", "first"))
    )
    repeated = kinds[kinds["k"] >= LEAST_REPEATED].reset_index(drop=True)
    n = known.groupby(["value", "label_name"]).size().rename("n").reset_index()
    repeats = repeated.merge(n, on=["value", "label_name"], how="left")
    repeats = repeats.assign(share=repeats["k"] / repeats["n"], **_chance(repeats, known))
    repeats["rows"] = _rows(repeats, known)
    ordered = repeats.sort_values(
        ["q_value", "p_value", "k", "value", *_CELL],
        ascending=[True, True, False, True, True, True],
        kind="stable",
    )
    return ordered[list(_COLUMNS)].reset_index(drop=True)


def is_shown(systematic: pd.DataFrame) -> pd.Series:
    """Tell of each row of a table whether it is more than chance, and more than a pair."""
    return (systematic["q_value"] <= ALPHA) & (systematic["k"] >= LEAST_SHOWN)


def _known(images: Predictions, values: pd.Series) -> pd.DataFrame:
    """Return the images that are right or wrong, `value` missing where the manifest leaves it."""
    table = images.table
    strange = pc.and_(pc.equal(table["status"], LABEL_UNKNOWN), table["pred_name"].is_valid())
    judged = table.filter(pc.or_(table["correct"].is_valid(), strange))
    rows = judged["row"].to_numpy()
    known = pd.DataFrame({"row": rows, "value": _as_values(values).to_numpy()[rows]})
    for name in _CELL:
        known[name] = judged[name].to_pandas().astype("str")
    unknown = pc.equal(judged["status"], LABEL_UNKNOWN).to_numpy(zero_copy_only=False)
    return known.assign(unknown=unknown, wrong=known["label_name"] != known["pred_name"])


def _as_values(values: pd.Series) -> pd.Series:
    """Return values that can be compared with one another; empty text is none."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    text = values.astype("str")
    return text.where(text.str.strip() != "")


def _chance(repeats: pd.DataFrame, known: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return what would be by chance of each repetition, and how unlikely it is."""
    from scipy.stats import hypergeom  # half a second

    unknown = repeats["unknown"].to_numpy(bool)
    of_kind = known.groupby(_CELL).size()
    of_label = known.groupby("label_name").size()
    of_value = known.groupby("value").size()
    alike = of_kind.reindex(pd.MultiIndex.from_frame(repeats[_CELL])).to_numpy()
    among = np.where(unknown, len(known), of_label.reindex(repeats["label_name"]).to_numpy())
    drawn = np.where(unknown, of_value.reindex(repeats["value"]).to_numpy(), repeats["n"])
    p_value = hypergeom.sf(repeats["k"].to_numpy() - 1, among, alike, drawn)
    return {
        "expected": drawn * alike / np.maximum(among, 1),
        "p_value": p_value,
        "q_value": np.minimum(p_value * _tests(known), 1.0),
    }


def _tests(known: pd.DataFrame) -> int:
    """Return how many repetitions there could be."""
    kinds = (
        known[known["wrong"]].groupby(_CELL).agg(images=("row", "size"), unknown=("unknown", "any"))
    )
    kinds = kinds[kinds["images"] >= LEAST_REPEATED].reset_index()
    unknown = kinds["unknown"].to_numpy(bool)
    values = _large(known.groupby(["label_name", "value"]).size()).groupby("label_name").size()
    of_class = values.reindex(kinds["label_name"], fill_value=0).to_numpy()
    everywhere = len(_large(known.groupby("value").size()))
    return int(np.where(unknown, everywhere, of_class).sum())


def _large(sizes: pd.Series) -> pd.Series:
    return sizes[sizes >= LEAST_REPEATED]


def _rows(repeats: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """Return the rows of each repetition as a JSON list."""
    keys = ["value", *_CELL]
    wanted = pd.MultiIndex.from_frame(repeats[keys])
    chosen = known[pd.MultiIndex.from_frame(known[keys]).isin(wanted)]
    lists = {key: sorted(rows.tolist()) for key, rows in chosen.groupby(keys)["row"]}
    return [json.dumps(lists[key]) for key in wanted]

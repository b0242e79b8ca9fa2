"""Tables of all that is known of explanations: of every map, every cover, every layer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import pandas as pd

INDEX_COLUMNS: Final = {
    "row": "int64", "sample_id": "str", "label_name": "str", "pred_name": "str", "method": "str",
    "target": "str", "score": "float64", "baseline": "str", "layer": "str", "file": "str",
    "raw_min": "float64", "raw_max": "float64", "completeness_gap": "float64",
    "deletion_auc": "float64", "insertion_auc": "float64", "random_deletion_auc": "float64",
    "random_insertion_auc": "float64", "status": "str", "error": "str", "flag": "str",
    "object_share": "float64", "head_share": "float64", "object_area": "float64",
    "head_area": "float64", "unit": "str", "maps_file": "str", "options": "str",
}  # fmt: skip
COVER_COLUMNS: Final = {
    "row": "int64", "sample_id": "str", "label_name": "str", "pred_name": "str", "found": "bool",
    "top": "Int64", "left": "Int64", "bottom": "Int64", "right": "Int64", "share": "float64",
    "fill": "str", "confirmed_by": "str", "pred_before": "float64", "true_before": "float64",
    "pred_after": "float64", "true_after": "float64", "file": "str",
}  # fmt: skip
SIMILARITY_COLUMNS: Final = {"method": "str", "layer": "str", "similarity": "float64"}


class Tables(NamedTuple):
    """What was found: of every map, of the parts that turn an error, of maps of random networks.

    `seconds` are those of each image by method; `stopped` is what stopped it early; `written` are
    names of files.
    """

    maps: pd.DataFrame
    covers: pd.DataFrame
    similarities: pd.DataFrame
    seconds: Sequence[Mapping[str, float]] = ()
    stopped: str | None = None
    written: Sequence[str] = ()


def tables(
    maps: Sequence[Mapping[str, Any]] = (),
    covers: Sequence[Mapping[str, Any]] = (),
    similarities: Sequence[Mapping[str, Any]] = (),
    *,
    seconds: Sequence[Mapping[str, float]] = (),
    stopped: str | None = None,
) -> Tables:
    """Return rows as tables: of maps, of images and of methods and stages."""
    return Tables(
        _table(maps, INDEX_COLUMNS),
        _table(covers, COVER_COLUMNS),
        _table(similarities, SIMILARITY_COLUMNS),
        seconds,
        stopped,
    )


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[*columns]).astype(dict(columns))


def merged(before: pd.DataFrame | None, table: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Return a table of calls before with what this one found in place of the same, in order."""
    if before is None:
        together = table
    else:
        made = set(table[[*by]].itertuples(index=False, name=None))
        keys = before[[*by]].itertuples(index=False, name=None)
        old = before[[key not in made for key in keys]]
        records = cast(list[dict[str, Any]], old.to_dict("records"))
        kinds = cast(dict[str, str], table.dtypes.astype(str).to_dict())
        together = pd.concat([_table(records, kinds), table], ignore_index=True)
    return together.sort_values([*by], kind="stable", ignore_index=True)

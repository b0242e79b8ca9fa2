"""Tables of all that is known of explanations: of every map, cover, layer and region."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import pandas as pd

from errlens.attribution.judging.choosing import TRIAL_COLUMNS
from errlens.attribution.judging.pointing_game import held_against_area
from errlens.run.csv_tables import in_a_line

OK: Final = "ok"
FAILED: Final = "failed"

INDEX_COLUMNS: Final = {
    "row": "int64", "sample_id": "str", "label_name": "str", "pred_name": "str", "method": "str",
    "target": "str", "score": "float64", "baseline": "str", "layer": "str", "file": "str",
    "raw_min": "float64", "raw_max": "float64", "completeness_gap": "float64",
    "absorbed": "float64", "r_squared": "float64", "deletion_auc": "float64",
    "insertion_auc": "float64", "random_deletion_auc": "float64",
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
EVIDENCE_COLUMNS: Final = (
    "method", "images", "region", "n", "share", "area", "lift", "p_value",
)  # fmt: skip
REGIONS: Final = ("object", "head")


class Tables(NamedTuple):
    """Of every map, of parts that turn an error, of maps of randomised networks, and of methods."""

    maps: pd.DataFrame
    covers: pd.DataFrame
    similarities: pd.DataFrame
    methods: pd.DataFrame

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(self._asdict())


def tables(
    maps: Sequence[Mapping[str, Any]] = (),
    covers: Sequence[Mapping[str, Any]] = (),
    similarities: Sequence[Mapping[str, Any]] = (),
    methods: Sequence[Mapping[str, Any]] = (),
) -> Tables:
    """Return rows as tables: of maps, of images, of methods and stages, and of methods."""
    return Tables(
        _table(maps, INDEX_COLUMNS),
        _table(covers, COVER_COLUMNS),
        _table(similarities, SIMILARITY_COLUMNS),
        _table(methods, TRIAL_COLUMNS),
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


def evidence_table(index: pd.DataFrame) -> pd.DataFrame:
    """Return how the evidence for the predicted class is spread, in right and in wrong images.

    One row for each method, kind of image and region that any of the outlines have.
    """
    return pd.DataFrame(list(_evidence(index)), columns=list(EVIDENCE_COLUMNS))


def _evidence(index: pd.DataFrame) -> Iterator[dict[str, Any]]:
    predicted = index[index["target"] == "predicted"]
    right = (predicted["label_name"] == predicted["pred_name"]).map({True: "right", False: "wrong"})
    kinds = right.where(predicted["label_name"].notna(), "without label")
    for (method, images), rows in predicted.groupby(["method", kinds]):
        for region in REGIONS:
            both = rows[[f"{region}_share", f"{region}_area"]].dropna().to_numpy()
            if len(both):
                evidence = held_against_area(*both.T.tolist())
                yield {"method": method, "images": images, "region": region, **evidence._asdict()}

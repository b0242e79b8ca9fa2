"""Where the evidence lies, held against where it would lie by chance: a table, and its print."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from errlens.attribution.evidence import held_against_area
from errlens.formats import probability, times
from errlens.terminal import Screen

REGIONS: Final = ("object", "head")
COLUMNS: Final = ("method", "images", "region", "n", "share", "area", "lift", "p_value")


def evidence_table(index: pd.DataFrame) -> pd.DataFrame:
    """Return how the evidence for the predicted class is spread, in right and in wrong images.

    One row for each method, kind of image and region that any of the outlines have.
    """
    return pd.DataFrame(list(_rows(index)), columns=list(COLUMNS))


def _rows(index: pd.DataFrame) -> Iterator[dict[str, Any]]:
    predicted = index[index["target"] == "predicted"]
    right = (predicted["label_name"] == predicted["pred_name"]).map({True: "right", False: "wrong"})
    kinds = right.where(predicted["label_name"].notna(), "without label")
    for (method, images), rows in predicted.groupby(["method", kinds]):
        for region in REGIONS:
            both = rows[[f"{region}_share", f"{region}_area"]].dropna().to_numpy()
            if len(both):
                found = held_against_area(*both.T.tolist())
                yield {"method": method, "images": images, "region": region, **found._asdict()}


def show_evidence(screen: Screen, table: pd.DataFrame) -> None:
    """Print how much of the evidence lies on the object, and how much would by chance."""
    if not len(table):
        return
    rows = [
        (
            one["method"],
            one["images"],
            one["region"],
            probability(one["share"]),
            probability(one["area"]),
            times(one["lift"]),
            probability(one["p_value"]),
            str(one["n"]),
        )
        for one in table.to_dict("records")
    ]
    screen.say()
    heads = ("evidence for the predicted class", "images", "on the", ">share", ">of the area")
    screen.table((*heads, ">lift", ">p", ">n"), rows)
    screen.remark(
        "p: Wilcoxon's signed-rank test of share against area, image by image, two-sided. Where it "
        "is not small, the evidence may as well be spread evenly over the image."
    )

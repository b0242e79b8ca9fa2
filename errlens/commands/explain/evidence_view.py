"""Where the evidence lies, held against where it would lie by chance: a table, and its print."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from errlens.attribution.pointing_game import held_against_area
from errlens.terminal import Screen

REGIONS: Final = ("object", "head")
COLUMNS: Final = ("method", "images", "region", "n", "share", "area", "lift", "p_value")
LEAST_P: Final = 0.001  # that is written out


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
            f"{one['share']:.3f}",
            f"{one['area']:.3f}",
            "-" if pd.isna(one["lift"]) else f"{one['lift']:.2f}",
            _p_value(one["p_value"]),
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


def _p_value(value: float) -> str:
    """Write a probability.

    >>> _p_value(0.0412), _p_value(1e-9), _p_value(float("nan"))
    ('0.041', '<0.001', '-')
    """
    if pd.isna(value):
        return "-"
    return f"<{LEAST_P}" if value < LEAST_P else f"{value:.3f}"

"""Suspects: cells that a class relies on though they are more another class's.

The baseball that turns a grey whale into a great white shark is one: S. Carter et al., "Activation
Atlas", Distill (2019). Suspects are ranked by what they surely add, not tested: all points of a
class atlas were chosen for what they add. Pasting a suspect's patch into photos tests it.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.classes.names import NO_CLASS
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

SUSPECT_COLUMNS: Final[Columns] = {
    "rank": WHOLE,
    "cell": WHOLE,
    "cell_row": WHOLE,
    "cell_column": WHOLE,
    "other_class": TEXT,  # that the cell adds the most to
    "attribution": NUMBER,  # what a point adds to the class, in the mean
    "attribution_low": NUMBER,  # at least that in the mean of images (95 %); none of one image
    "attribution_other": NUMBER,
    "share": NUMBER,  # of all that is added to the class, what is added here
    "n_points": WHOLE,
    "n_images": WHOLE,
    "n_sources_other": WHOLE,  # images that are known not to be the class's
    "background_share": NUMBER,  # of the places' area, outside of the object; none without outlines
    # The patch that adds the most to the class: in an image of the other class where there is one.
    "row": WHOLE,
    "place_row": WHOLE,
    "place_column": WHOLE,
    "left": NUMBER,
    "top": NUMBER,
    "right": NUMBER,
    "bottom": NUMBER,
}
BOX: Final = ("left", "top", "right", "bottom")
_LEVEL: Final = 0.975  # of Student's distribution: the lower end of a 95 % interval


def suspect_table(cells: pd.DataFrame, points: ClassPoints) -> pd.DataFrame:
    """Return the cells whose top class is another, the most suspicious first.

    Columns are those of `SUSPECT_COLUMNS` without the box of the patch. First comes what adds the
    most to the class for sure: the lower end of the 95 % interval of the mean over images, since
    points of one image are alike. Cells of one image come last; ties by cell.

    Args:
        cells: The map's: `cell`, `cell_row`, `cell_column`.
        points: Those of the class atlas.
    """
    adds = points.adds
    total = np.maximum(adds, 0).sum()
    suspects = []
    for cell in cells.to_dict("records"):
        inside = points.inside(cell["cell"])
        means = points.attributions[inside].mean(axis=0, dtype=np.float64)
        other = int(np.argmax(means))
        if other == points.of_class:
            continue
        members, added = points.table.iloc[inside], adds[inside]
        by_image = pd.Series(added).groupby(members["row"].to_numpy()).mean()
        foreign = _foreign(members, points.of_class)
        suspects.append(
            {
                **{name: cell[name] for name in ("cell", "cell_row", "cell_column")},
                "other_class": points.names[other],
                "attribution": means[points.of_class],
                "attribution_low": lower_end(by_image.to_numpy()),
                "attribution_other": means[other],
                "share": np.maximum(added, 0).sum() / total if total else np.nan,
                "n_points": len(members),
                "n_images": len(by_image),
                "n_sources_other": members.loc[foreign, "row"].nunique(),
                "background_share": members["background"].mean(),
                **_best_patch(members, added, (members["label"] == other, foreign)),
            }
        )
    columns = [name for name in SUSPECT_COLUMNS if name not in ("rank", *BOX)]
    table = pd.DataFrame(suspects, columns=columns)
    by = ["attribution_low", "attribution", "cell"]
    table = table.sort_values(by, ascending=[False, False, True], na_position="last")
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)


def lower_end(values: NDArray[np.floating]) -> float:
    """Return the lower end of the 95 % interval of a mean, by Student's t; NaN of fewer than two.

    >>> round(lower_end(np.array([1.0, 2.0, 3.0])), 3)
    -0.484
    """
    n = len(values)
    if n < 2:
        return float("nan")
    width = student.ppf(_LEVEL, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return float(np.mean(values) - width)


def _foreign(members: pd.DataFrame, of_class: int) -> "pd.Series[bool]":
    return (members["label"] != NO_CLASS) & (members["label"] != of_class)


def _best_patch(
    members: pd.DataFrame, added: NDArray[np.float64], kinds: Sequence["pd.Series[bool]"]
) -> dict[str, Any]:
    """Return where the patch is that adds the most to the class, of the first kind there is."""
    usable = next((kind.to_numpy() for kind in kinds if kind.any()), np.ones(len(members), bool))
    best = members.iloc[int(np.argmax(np.where(usable, added, -np.inf)))]
    return {name: best[name] for name in ("row", "place_row", "place_column")}

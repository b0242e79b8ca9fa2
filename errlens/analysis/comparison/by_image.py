"""The images that one run has right and another wrong."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.comparison.matching import matched, outcomes, spelt_alike
from errlens.analysis.mistakes.ranking import image_table, worst_table
from errlens.analysis.selection.picking import ChangedRows
from errlens.choices import Rank
from errlens.errors import IncomparableRuns
from errlens.escapes import shell_line
from errlens.predictions.table import Predictions
from errlens.run.csv_tables import TEXT, WHOLE
from errlens.run.folder import RunFolder

_FROM_BOTH: Final = ("confidence", "label_prob", "loss")  # columns of the old and of the new run


# Columns of fixed.csv and broken.csv; all others hold numbers.
CHANGED_COLUMNS: Final = {
    "row": WHOLE, "old_row": WHOLE, "sample_id": TEXT, "path": TEXT, "label_name": TEXT,
    "old_pred": TEXT, "new_pred": TEXT,
}  # fmt: skip


class ChangedImages(NamedTuple):
    """The images that are right now and were not, and those that are wrong now and were not."""

    fixed: pd.DataFrame
    broken: pd.DataFrame


def changed_images(
    both: pd.DataFrame, old: Predictions, new: Predictions, rank: Rank
) -> ChangedImages:
    """Return what was fixed, the worst error of before first, and what broke, the worst of now.

    Args:
        both: What `matched` returns.
        old: All images of the old run, with the columns of `ranking`.
        new: Likewise of the new one.
        rank: What makes an error bad.
    """
    old_table, new_table = image_table(old), image_table(new)

    def changed(rows: pd.DataFrame, by: str, ranked: pd.DataFrame) -> pd.DataFrame:
        place = pd.Series(range(len(ranked)), index=ranked["row"])
        ordered = rows.iloc[np.argsort(place.loc[rows[by]].to_numpy(), kind="stable")]
        before, now = old_table.iloc[ordered["old_row"]], new_table.iloc[ordered["row"]]
        values = {
            f"{which}_{name}": table[name].to_numpy()
            for name in _FROM_BOTH
            for which, table in (("old", before), ("new", now))
        }
        plain = ordered[["row", "old_row", "sample_id", "label_name", "old_pred", "new_pred"]]
        images = plain.astype({"label_name": "str", "old_pred": "str", "new_pred": "str"})
        images.insert(3, "path", now["path"].to_numpy())
        return images.assign(**values).reset_index(drop=True)

    return ChangedImages(
        changed(both[both["new"] & ~both["old"]], "old_row", worst_table([old], rank)),
        changed(both[both["old"] & ~both["new"]], "row", worst_table([new], rank)),
    )


def changes_since(old: RunFolder, run: RunFolder) -> ChangedRows:
    """Return the images of a run that an old one saw otherwise.

    Raises:
        IncomparableRuns: They have no images in common.
    """
    old.require_complete()
    both = matched(spelt_alike(outcomes(old), run.info.classes), outcomes(run))
    if not len(both):
        compare = shell_line(["errlens", "compare", old.path, run.path])
        raise IncomparableRuns(
            f"{str(old.path)!r} and {str(run.path)!r} have no image in common that has the same "
            "label in both",
            hint="what was fixed and what broke shows on the same images only; "
            f"{compare} compares them as two samples",
        )
    row, was, now = (both[name].to_numpy() for name in ("row", "old", "new"))
    return ChangedRows(row[now & ~was].astype(np.int64), row[was & ~now].astype(np.int64))

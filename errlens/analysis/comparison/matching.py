"""Two runs over the same images: which image of the one is which of the other."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.errors import IncomparableRuns, MissingInput, UnfitBaseline
from errlens.predictions.table import OK, SCHEMA
from errlens.run.folder import BASELINE_COLUMNS, RunFolder, open_run
from errlens.run.tables import open_parquet

MATCHED: Final = (
    "row", "old_row", "sample_id", "label_name", "old_pred", "new_pred", "old", "new",
)  # fmt: skip


class Changes(NamedTuple):
    """Rows of a run that are right there and wrong in an old one, and the other way round."""

    fixed: NDArray[np.int64]
    broken: NDArray[np.int64]


def outcomes(run: RunFolder) -> pd.DataFrame:
    """Return `row` and the columns of baseline.parquet of the images that count.

    Those are the ones that were predicted and have a label among the classes.
    """
    frame = run.read_predictions(("row", "status", "label", *BASELINE_COLUMNS)).frame
    counts = (frame["status"] == OK) & frame["label"].notna()
    found = frame.loc[counts, ["row", *BASELINE_COLUMNS]].reset_index(drop=True)
    return found.astype({"correct": "bool"})


def spelt_alike(images: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return images of another run with labels and predictions spelt as these classes are.

    Args:
        images: With the columns of baseline.parquet.
        classes: The classes of the run that it is held against.
    """
    columns = ("label_name", "pred_name")
    said = {name for column in columns for name in images[column].dropna().unique()}
    spelling = classes.spelling_of(sorted(said))
    if all(name == other for name, other in spelling.items()):
        return images
    return images.assign(
        **{name: images[name].map(spelling).astype(images[name].dtype) for name in columns}
    )


def read_baseline(path: Path) -> pd.DataFrame:
    """Return the columns of baseline.parquet of the images that count.

    Args:
        path: A run folder, or such a file of one.

    Raises:
        MissingInput: There is nothing.
        UnfitBaseline: The file is none of these, or has no image that counts.
    """
    if not path.exists():
        raise MissingInput(path, what="baseline")
    if path.is_dir():
        run = open_run(path)
        run.require_complete()
        found = outcomes(run)
    else:
        found = _read_baseline_file(path)
    if not len(found):
        raise UnfitBaseline(f"no image of {str(path)!r} has both a label and a prediction")
    return found[[*BASELINE_COLUMNS]]


def _read_baseline_file(path: Path) -> pd.DataFrame:
    wanted = pa.schema([SCHEMA.field(name) for name in BASELINE_COLUMNS])
    try:
        with open_parquet(path) as file:
            table = file.read(columns=list(BASELINE_COLUMNS)).select(BASELINE_COLUMNS).cast(wanted)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise UnfitBaseline(
            f"{str(path)!r} is no baseline.parquet: {' '.join(str(error).split())}",
            hint="give a run folder, or the baseline.parquet of one",
        ) from error
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    # Only what was predicted and has a label among the classes is right or wrong.
    counts = frame["correct"].notna()
    return frame[counts].reset_index(drop=True).astype({"correct": "bool"})


def matched(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the images that both have, in the order of the new ones.

    Images are matched by `sample_id`; those that have none in common by the hash of their content,
    where that is of one image alone on either side. Images whose labels differ are left out: they
    tell of the data, not of the model.

    Args:
        old: With the columns of baseline.parquet.
        new: The same and `row`.

    Returns:
        `row` and `sample_id` of the new run, `old_row` of the old one (missing where that has no
        `row`), `label_name`, and of both runs what was predicted (`old_pred`, `new_pred`) and
        whether that was right (`old`, `new`).
    """
    old = old if "row" in old else old.assign(row=pd.Series(pd.NA, old.index, "Int64"))
    by_name = new.merge(old, on="sample_id", suffixes=("", "_old"))
    found = [by_name]
    rest_new = new[~new["sample_id"].isin(by_name["sample_id"])]
    rest_old = old[~old["sample_id"].isin(by_name["sample_id"])]
    if len(rest_new) and len(rest_old):
        by_content = _unique(rest_new).merge(
            _unique(rest_old), on="content_hash", suffixes=("", "_old")
        )
        found.append(by_content)
    both = pd.concat(found, ignore_index=True).sort_values("row", kind="stable")
    both = both[both["label_name"] == both["label_name_old"]]
    names = {"pred_name": "new_pred", "pred_name_old": "old_pred", "row_old": "old_row"}
    names |= {"correct": "new", "correct_old": "old"}
    return both.rename(columns=names)[[*MATCHED]].reset_index(drop=True)


def changes_since(old: RunFolder, run: RunFolder) -> Changes:
    """Return the images of a run that an old one saw otherwise.

    Raises:
        IncomparableRuns: They have no images in common.
    """
    old.require_complete()
    both = matched(spelt_alike(outcomes(old), run.info.classes), outcomes(run))
    if not len(both):
        raise IncomparableRuns(
            f"{str(old.path)!r} and {str(run.path)!r} have no image in common that has the same "
            "label in both",
            hint="what was fixed and what broke shows on the same images only",
        )
    row, was, now = (both[name].to_numpy() for name in ("row", "old", "new"))
    return Changes(row[now & ~was].astype(np.int64), row[was & ~now].astype(np.int64))


def _unique(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose content no other one has."""
    return images[images["content_hash"].notna() & ~images["content_hash"].duplicated(keep=False)]

"""Which image of one run is which image of another, and what is doubtful about that."""

from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa

from errlens.classes.names import ClassNames
from errlens.errors import MissingInput, UnfitBaseline
from errlens.predictions.table import OK, SCHEMA
from errlens.run.folder import BASELINE_COLUMNS, RunFolder, open_run
from errlens.run.tables import open_parquet

MATCHED: Final = (
    "row", "old_row", "sample_id", "label_name", "old_pred", "new_pred", "old", "new",
)  # fmt: skip


def outcomes(run: RunFolder) -> pd.DataFrame:
    """Return `row` and the columns of baseline.parquet of the images that count.

    Those are the ones that were predicted and have a label among the classes.
    """
    frame = run.read_predictions(("row", "status", "label", *BASELINE_COLUMNS)).frame
    counts = (frame["status"] == OK) & frame["label"].notna()
    images = frame.loc[counts, ["row", *BASELINE_COLUMNS]].reset_index(drop=True)
    return images.astype({"correct": "bool"})


def spelt_alike(images: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return images of another run with labels and predictions spelt as these classes are.

    Args:
        images: With the columns of baseline.parquet.
        classes: The classes of the run that it is held against.
    """
    columns = ("label_name", "pred_name")
    names = {name for column in columns for name in images[column].dropna().unique()}
    spelling = classes.spelling_of(sorted(names))
    if all(name == other for name, other in spelling.items()):
        return images
    return images.assign(
        **{column: images[column].map(spelling).astype(images[column].dtype) for column in columns}
    )


def read_baseline(path: Path) -> pd.DataFrame:
    """Return the columns of baseline.parquet of the images that count.

    Args:
        path: A run folder, or such a file of one.

    Raises:
        MissingInput: There is nothing, or a pipe or a device.
        UnfitBaseline: The file is none of these, or has no image that counts.
    """
    if not (path.is_dir() or path.is_file()):
        raise MissingInput(path, what="baseline")
    if path.is_dir():
        run = open_run(path)
        run.require_complete()
        images = outcomes(run)
    else:
        images = _read_baseline_file(path)
    if not len(images):
        raise UnfitBaseline(f"no image of {str(path)!r} has both a label and a prediction")
    return images[[*BASELINE_COLUMNS]]


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
    matches = [by_name]
    rest_new = new[~new["sample_id"].isin(by_name["sample_id"])]
    rest_old = old[~old["sample_id"].isin(by_name["sample_id"])]
    if len(rest_new) and len(rest_old):
        by_content = _unique(rest_new).merge(
            _unique(rest_old), on="content_hash", suffixes=("", "_old")
        )
        matches.append(by_content)
    both = pd.concat(matches, ignore_index=True).sort_values("row", kind="stable")
    both = both[both["label_name"] == both["label_name_old"]]
    names = {"pred_name": "new_pred", "pred_name_old": "old_pred", "row_old": "old_row"}
    names |= {"correct": "new", "correct_old": "old"}
    return both.rename(columns=names)[[*MATCHED]].reset_index(drop=True)


def relabelled(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """Return how many images have the same name in both runs, but not the same label."""
    both = new.merge(old, on="sample_id", suffixes=("", "_old"))
    return int((both["label_name"] != both["label_name_old"]).sum())


def other_files(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """Return how many images have the same name in both runs, but are different files."""
    both = new.merge(old, on="sample_id", suffixes=("", "_old"))
    hashes = both[["content_hash", "content_hash_old"]].dropna()
    return int((hashes["content_hash"] != hashes["content_hash_old"]).sum())


def _unique(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose content no other one has."""
    return images[images["content_hash"].notna() & ~images["content_hash"].duplicated(keep=False)]

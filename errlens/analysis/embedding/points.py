"""The images of a run that a map shows: what is known of each, and its features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.run.folder import RunFolder

COLUMNS: Final = (
    "row", "sample_id", "path", "content_hash", "label", "label_name", "pred", "pred_name",
    "correct", "logits_row",
)  # fmt: skip
_AT_ONCE: Final = 1024  # rows that are widened to float32


@dataclass(frozen=True)
class Points:
    """n predicted images in an order that is the same however the rows of a run are.

    `table` has a row an image, with the columns of `COLUMNS`; of an image without a label `label`
    is -1, `right` False and `wrong` False. `features` has shape (n, d), float16 as runs keep them.
    `left_out` counts images that are no points, by why.
    """

    table: pd.DataFrame
    features: NDArray[np.float16]
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def label(self) -> NDArray[np.int64]:
        """The class of each image, -1 where it has none."""
        return self.table["label"].to_numpy(np.int64)

    @property
    def pred(self) -> NDArray[np.int64]:
        """What each was taken for."""
        return self.table["pred"].to_numpy(np.int64)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which are errors."""
        return np.asarray((self.label >= 0) & (self.label != self.pred))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which are right."""
        return np.asarray(self.label == self.pred)

    def directions(self) -> NDArray[np.float32]:
        """Return the features at length 1: two are as near as their cosine says."""
        return directions(self.features)


def directions(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return vectors of shape (n, d) at length 1; all of them have a length."""
    found = np.empty(values.shape, np.float32)
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE].astype(np.float64)
        found[start : start + _AT_ONCE] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return found


def predicted_images(run: RunFolder) -> pa.Table:
    """Return what is known of the images that were predicted, in the order of the run."""
    table = run.read_predictions(COLUMNS).table
    return table.filter(pc.is_valid(table["pred"]))


def kept_features(run: RunFolder) -> NDArray[np.float16] | None:
    """Return the features of the images that were predicted; None where the run kept none.

    Raises:
        IncompleteRun: They are damaged.
    """
    if "features" not in run.info.keep:
        return None
    values = []
    parts = run.read_parts(("pred", "logits_row"))
    for part, kept in zip(parts, run.read_sidecars("features"), strict=True):
        predicted = part.table.filter(pc.is_valid(part.table["pred"]))
        values.append(kept[np.asarray(predicted["logits_row"].to_numpy(), np.int64)])
    return np.concatenate(values)


def points_of(
    images: pa.Table, features: NDArray[np.float16], read: NDArray[np.bool_] | None = None
) -> Points:
    """Return the points of a map, in the order of their names.

    Args:
        images: As `predicted_images` returns them.
        features: Of each of them, or of those that could be `read`.
        read: Which these are; by default all.
    """
    table = images.drop_columns("logits_row").to_pandas(self_destruct=False)
    for name in ("label_name", "pred_name"):
        table[name] = table[name].astype("str")
    left_out: dict[str, int] = {}
    if read is not None:
        left_out["no longer readable, or other files by now"] = int((~read).sum())
        table = table[read]
    usable = _usable(features)
    left_out["without features, or with some that are no finite numbers"] = int((~usable).sum())
    table, features = table[usable].reset_index(drop=True), features[usable]
    order = np.lexsort([table["row"], table["sample_id"].to_numpy(str)])
    table = table.iloc[order].reset_index(drop=True)
    table["label"] = table["label"].astype("float64").fillna(-1).astype(np.int64)
    return Points(table, features[order], {why: n for why, n in left_out.items() if n})


def _usable(features: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Tell which features are finite and have a direction."""
    usable = np.zeros(len(features), bool)
    for start in range(0, len(features), _AT_ONCE):
        part = features[start : start + _AT_ONCE]
        usable[start : start + _AT_ONCE] = np.isfinite(part).all(axis=1) & part.any(axis=1)
    return usable


def outline_of_each(points: Points, groups: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Return the number of the group that the label of each image is in, from 1 on; 0 for none."""
    numbers = {name: number for number, names in enumerate(groups, start=1) for name in names}
    of_label = points.table["label_name"].map(numbers).fillna(0).to_numpy(np.int64)
    return np.where(points.label >= 0, of_label, 0)


def colour_groups(
    points: Points, names: Sequence[str], parents: Sequence[str | None] | None, *, most: int
) -> tuple[list[str], NDArray[np.int64]]:
    """Return names of what points are coloured by, and which of them each is of; -1 for the rest.

    That are classes, by label or, without one, by prediction; superclasses where classes are more
    than `most` and superclasses are known. Of too many, those with the most errors are named, then
    those with the most images.
    """
    of_point = np.where(points.label >= 0, points.label, points.pred)
    kinds: list[str | None] = [names[index] for index in of_point]
    if parents is not None and len(set(kinds)) > most:
        kinds = [parents[index] for index in of_point]
    table = pd.DataFrame({"kind": kinds, "wrong": points.wrong}).dropna()
    counts = table.groupby("kind")["wrong"].agg(["sum", "size"]).reset_index()
    ranked = counts.sort_values(["sum", "size", "kind"], ascending=[False, False, True])
    named = sorted(ranked["kind"].head(most).tolist())
    place = {name: at for at, name in enumerate(named)}
    return named, np.array([place.get(kind, -1) if kind else -1 for kind in kinds], np.int64)

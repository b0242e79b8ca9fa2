"""The images of a run that are right or wrong, as arrays: what every search for a cause reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.findings.finding import surest_right
from errlens.classes.names import ClassNames
from errlens.predictions.table import Predictions
from errlens.predictions.values import Values
from errlens.run.folder import RunFolder

COLUMNS: Final = (
    "row", "sample_id", "path", "content_hash", "status", "label", "pred", "correct", "confidence",
    "label_prob", "loss", "width", "height",
)  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """The n images that are right or wrong; every array has shape (n,), in the order of the run.

    `row` is int64, `label` and `pred` are int32 class indices, `wrong` is bool, `confidence` and
    `label_prob` are float64 and nan where they are not known; `paths` start from the data root;
    `content_hash` is bytes or None; `sample_id` may be left out where the paths are unique.
    """

    row: NDArray[np.int64]
    label: NDArray[np.int32]
    pred: NDArray[np.int32]
    wrong: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    label_prob: NDArray[np.float64]
    paths: Sequence[str]
    content_hash: Sequence[bytes | None]
    classes: ClassNames
    sample_id: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.row)

    @property
    def n_errors(self) -> int:
        """How many are wrong."""
        return int(self.wrong.sum())

    def table_of(self, images: NDArray[np.integer]) -> pd.DataFrame:
        """Return what names some images, by their places here: a table of a cause begins so."""
        ids = self.sample_id or self.paths
        return pd.DataFrame(
            {
                "row": self.row[images],
                "sample_id": pd.Series([ids[at] for at in images], dtype="str"),
                "path": pd.Series([self.paths[at] for at in images], dtype="str"),
                "label_name": self.names(self.label[images]),
                "pred_name": self.names(self.pred[images]),
            }
        )

    def names(self, indices: NDArray[np.integer]) -> pd.Series:
        """Return the names of classes by their indices."""
        return pd.Series([self.classes[int(index)] for index in indices], dtype="str")

    def right_beside(self, chosen: NDArray[np.bool_], most: int = 12) -> tuple[int, ...]:
        """Return the surest right images outside a choice, of the classes that are inside it.

        They are taken class by class as often as the classes come among the errors chosen.
        """
        inside = self.label[chosen & self.wrong]
        if not len(inside):
            inside = self.label[chosen]
        others = ~chosen & ~self.wrong
        beside: list[int] = []
        classes, counts = np.unique(inside, return_counts=True)
        for class_index in classes[np.argsort(-counts, kind="stable")]:
            share = max(1, round(most * counts[classes == class_index][0] / len(inside)))
            of_class = np.flatnonzero(others & (self.label == class_index))
            beside += surest_right(
                self.row[of_class], np.nan_to_num(self.confidence[of_class]), share
            )
        return tuple(beside[:most])


def scored(images: Predictions) -> Scored:
    """Return the images that are right or wrong; `images` has the columns of `COLUMNS`."""
    table = images.judged

    def numbers(name: str) -> NDArray[np.float64]:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)

    return Scored(
        row=np.asarray(table["row"].to_numpy(), np.int64),
        label=np.asarray(table["label"].to_numpy(), np.int32),
        pred=np.asarray(table["pred"].to_numpy(), np.int32),
        wrong=~np.asarray(table["correct"].to_numpy(zero_copy_only=False), bool),
        confidence=numbers("confidence"),
        label_prob=numbers("label_prob"),
        paths=Values(table["path"]),
        content_hash=Values(table["content_hash"]),
        classes=images.classes,
        sample_id=Values(table["sample_id"]),
    )


def read_kept(run: RunFolder, kind: str, images: Scored) -> NDArray[np.float16] | None:
    """Return the logits or features of the images, shape (n, d); None where none were kept.

    Raises:
        IncompleteRun: They are damaged.
    """
    if kind not in run.info.keep:
        return None
    rows, values = [], []
    parts = run.read_parts(("row", "logits_row"))
    for part, kept in zip(parts, run.read_sidecars(kind), strict=True):
        predicted = part.table.filter(pc.is_valid(part.table["logits_row"]))
        rows.append(np.asarray(predicted["row"].to_numpy(), np.int64))
        values.append(kept[np.asarray(predicted["logits_row"].to_numpy(), np.int64)])
    places = np.searchsorted(np.concatenate(rows), images.row)
    return np.asarray(np.concatenate(values)[places], np.float16)

"""The images of a run that are right or wrong, as arrays: what every search for a cause reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.finding import surest_right
from errlens.classes.names import ClassNames
from errlens.predictions.table import Predictions

COLUMNS: Final = (
    "row", "sample_id", "path", "content_hash", "status", "label", "pred", "correct", "confidence",
    "label_prob", "loss", "width", "height",
)  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """The n images that are right or wrong; every array has shape (n,), in the order of the run.

    `row` is int64, `label` and `pred` are int32 class indices, `wrong` is bool, `confidence` and
    `label_prob` are float64 and nan where they are not known; `paths` start from the data root;
    `content_hash` is bytes or None.
    """

    row: NDArray[np.int64]
    label: NDArray[np.int32]
    pred: NDArray[np.int32]
    wrong: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    label_prob: NDArray[np.float64]
    paths: list[str]
    content_hash: list[bytes | None]
    classes: ClassNames
    sample_id: Sequence[str] = ()  # where they are wanted: the paths by default

    def __len__(self) -> int:
        return len(self.row)

    @property
    def n_errors(self) -> int:
        """How many are wrong."""
        return int(self.wrong.sum())

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
        paths=table["path"].to_pylist(),
        content_hash=table["content_hash"].to_pylist(),
        classes=images.classes,
        sample_id=table["sample_id"].to_pylist(),
    )

"""The predictions table: its columns, declared once, and the type that carries it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from errlens.classes.names import ClassNames, Superclasses

SCHEMA_VERSION: Final = 1

OK: Final = "ok"
UNREADABLE: Final = "unreadable"  # there is a file, but no image comes out of it
MISSING: Final = "missing"  # there is no file
FAILED: Final = "failed"  # the model's outputs were not finite
LABEL_UNKNOWN: Final = "label_unknown"  # predicted, but its label is none of the model's classes
STATUSES: Final = (OK, UNREADABLE, MISSING, FAILED, LABEL_UNKNOWN)

_NAME = pa.dictionary(pa.int32(), pa.string())
_FEW = pa.dictionary(pa.int8(), pa.string())

SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),  # position in the plan
        ("sample_id", pa.string()),  # unique: the path, or path#2 where a manifest repeats it
        ("path", pa.string()),  # relative to the run's data_root, POSIX
        ("split", _FEW),
        ("content_hash", pa.binary(16)),  # first half of the sha256 of the encoded file
        ("status", _FEW),
        ("error", pa.string()),  # why the status is not ok
        ("width", pa.int32()),  # pixels, as shown: after EXIF orientation
        ("height", pa.int32()),
        ("label", pa.int32()),  # the true class
        ("label_name", _NAME),
        ("pred", pa.int32()),  # the most probable class; ties go to the lowest index
        ("pred_name", _NAME),
        ("confidence", pa.float32()),  # probability of pred
        ("correct", pa.bool_()),
        ("label_prob", pa.float32()),  # probability of label
        ("margin", pa.float32()),  # label_prob - the largest other probability
        ("loss", pa.float32()),  # -ln label_prob, from the log-softmax
        ("entropy", pa.float32()),  # nats
        ("brier", pa.float32()),  # squared distance to the one-hot label, 0 to 2
        ("label_rank", pa.int32()),  # 1 = correct
        ("topk_index", pa.list_(pa.int32())),
        ("topk_prob", pa.list_(pa.float32())),  # descending
        ("logsumexp", pa.float32()),  # of the raw outputs; ln prob + logsumexp gives them back
        ("logits_row", pa.int64()),  # row of this image in its part's logits and features
        ("super_label", pa.int32()),
        ("super_pred", pa.int32()),  # superclass of pred
        ("super_pred_prob", pa.float32()),  # summed probability of the classes inside super_pred
    ]
)


@dataclass(frozen=True)
class Predictions:
    """What the model said about every input of a run, one row an input.

    `table` holds all columns of `SCHEMA`, or those that were asked for, in plan order.
    """

    table: pa.Table
    classes: ClassNames
    superclasses: Superclasses | None = None

    def __post_init__(self) -> None:
        for column in self.table.schema:
            if SCHEMA.field(column.name).type != column.type:
                raise TypeError(
                    f"column {column.name} is {column.type}, not {SCHEMA.field(column.name).type}"
                )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def judged(self) -> pa.Table:
        """The rows that are right or wrong: predicted, and with a label among the classes."""
        is_ok = pc.equal(self.table["status"], OK)
        return self.table.filter(pc.and_(is_ok, pc.is_valid(self.table["label"])))

    @property
    def frame(self) -> pd.DataFrame:
        """The table for pandas, with dtypes that keep missing values apart from zeros."""
        frame: pd.DataFrame = self.table.to_pandas(types_mapper=pd.ArrowDtype)
        return frame


def part_metadata(
    settings: Mapping[str, Any], *, run_hash: str, shard: int, photos: Mapping[str, Any]
) -> dict[bytes, bytes]:
    """Return the key-value metadata of a part: the settings that made it, and which part it is.

    `photos` is what was counted of its photos.
    """
    own = {"run_hash": run_hash, "shard": shard, "photos": photos}
    made_by = {**settings, "schema_version": SCHEMA_VERSION, **own}
    return {b"errlens": json.dumps(made_by, sort_keys=True).encode()}

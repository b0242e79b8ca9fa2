"""What is wrong with the data: images that failed, labels nobody knows, the same file twice."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from errlens.analysis.collecting import UNKNOWN_COLUMNS, unknown_table
from errlens.analysis.confusion import ConfusionMatrix
from errlens.predictions import LABEL_UNKNOWN, OK
from errlens.report.parts import records
from errlens.run import RunFolder

SHOWN: Final = 200
FEW: Final = 30  # images of a class, below which its figures say little


class Health(NamedTuple):
    """Counts, and the first of everything that is odd."""

    statuses: Sequence[tuple[str, int]]
    failed: Sequence[dict[str, Any]]
    n_failed: int
    unknown: Sequence[dict[str, Any]]
    empty_classes: Sequence[str]
    small_classes: int
    n_copies: int
    contradictions: Sequence[Sequence[dict[str, Any]]]


def health(run: RunFolder, matrix: ConfusionMatrix) -> Health:
    """Look through the rows of a run."""
    table = run.read_predictions(("path", "status", "error", "label_name", "content_hash")).table
    status = table["status"].cast(pa.string())
    counted = pc.value_counts(status).to_pylist()
    failed = table.filter(pc.and_(pc.not_equal(status, OK), pc.not_equal(status, LABEL_UNKNOWN)))
    n_copies, contradictions = _copies(table)
    return Health(
        statuses=sorted(
            ((one["values"], one["counts"]) for one in counted), key=lambda one: (-one[1], one[0])
        ),
        failed=failed.select(["path", "status", "error"]).slice(0, SHOWN).to_pylist(),
        n_failed=len(failed),
        unknown=records(unknown_table(run.read_parts(UNKNOWN_COLUMNS)), SHOWN),
        empty_classes=[matrix.classes[one] for one in np.flatnonzero(matrix.n == 0).tolist()],
        small_classes=int(((matrix.n > 0) & (matrix.n < FEW)).sum()),
        n_copies=n_copies,
        contradictions=contradictions,
    )


def _copies(table: pa.Table) -> tuple[int, list[list[dict[str, Any]]]]:
    """Return how many files repeat an earlier one, and those that have several labels."""
    known = table.filter(table["content_hash"].is_valid())
    hashes = known["content_hash"].cast(pa.binary())
    counts = pc.value_counts(hashes)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    copies = known.filter(pc.is_in(hashes, value_set=repeated))
    by_hash: dict[bytes, list[dict[str, Any]]] = {}
    names = ("content_hash", "path", "label_name")
    for content, path, label in zip(*(copies[name].to_pylist() for name in names), strict=True):
        by_hash.setdefault(content, []).append({"path": path, "label_name": label})
    odd = [files for files in by_hash.values() if len({one["label_name"] for one in files}) > 1]
    return len(copies) - len(by_hash), odd[:SHOWN]

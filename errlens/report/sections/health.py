"""What is wrong with the data: images that failed, labels nobody knows, the same file twice."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.mistakes.collecting import UNKNOWN_COLUMNS, unknown_table
from errlens.analysis.mistakes.copies import find_copies
from errlens.analysis.mistakes.photo_remarks import copy_remarks, photo_remarks
from errlens.data.photos.oddities import Oddities
from errlens.predictions.table import LABEL_UNKNOWN, OK
from errlens.report.parts import records
from errlens.run.folder import RunFolder

SHOWN: Final = 200
FEW: Final = 30  # images of a class, below which its metrics say little


class Health(NamedTuple):
    """Counts, and the first of everything that is odd."""

    statuses: Sequence[tuple[str, int]]
    failed: Sequence[dict[str, Any]]
    n_failed: int
    unknown: Sequence[dict[str, Any]]
    empty_classes: Sequence[str]
    small_classes: int
    skipped: Mapping[str, int]
    remarks: Sequence[str]
    contradictions: Sequence[Sequence[dict[str, Any]]]


def health(run: RunFolder, matrix: ConfusionMatrix) -> Health:
    """Look through the rows of a run."""
    table = run.read_predictions(("path", "status", "error", "label_name", "content_hash")).table
    status = table["status"].cast(pa.string())
    counted = pc.value_counts(status).to_pylist()
    failed = table.filter(pc.and_(pc.not_equal(status, OK), pc.not_equal(status, LABEL_UNKNOWN)))
    copies, info = find_copies(table), run.info
    remarks = photo_remarks(Oddities.from_dict(info.photos), info.settings.preprocessing)
    return Health(
        statuses=sorted(
            ((entry["values"], entry["counts"]) for entry in counted),
            key=lambda counts: (-counts[1], counts[0]),
        ),
        failed=failed.select(["path", "status", "error"]).slice(0, SHOWN).to_pylist(),
        n_failed=len(failed),
        unknown=records(unknown_table(run.read_parts(UNKNOWN_COLUMNS)), SHOWN),
        empty_classes=[matrix.classes[index] for index in np.flatnonzero(matrix.n == 0).tolist()],
        small_classes=int(((matrix.n > 0) & (matrix.n < FEW)).sum()),
        skipped=info.skipped,
        remarks=[*remarks, *copy_remarks(copies)],
        contradictions=copies.contradictions[:SHOWN],
    )

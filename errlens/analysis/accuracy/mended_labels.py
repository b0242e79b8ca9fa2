"""Labels that a person has mended: a table of rows, or images, and their classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.analysis.selection.written_tables import (
    ROW_COLUMNS,
    WrittenTable,
    read_written_table,
)
from errlens.classes.names import ClassNames
from errlens.data.labels import kind_of_labels, match_labels
from errlens.errors import BadLabelFile, some, which_of

WRITTEN_LABEL: Final = "label_name"  # which commands write, for a person to change
# What may hold a mended label.
LABEL_COLUMNS: Final = (
    "label", "new_label", "corrected_label", "corrected", "mended", "true_label",
    "suggested", "suggested_label", "suggested_name", "suggestion", WRITTEN_LABEL,
)  # fmt: skip


class MendedLabels(NamedTuple):
    """The class of each row whose label changes, and how many lines say of none what it is."""

    labels: dict[int, int]
    n_without_label: int


def read_labels(
    path: Path, plan: pa.Table, classes: ClassNames, label: NDArray[np.integer]
) -> MendedLabels:
    """Read a table of mended labels: the class of each row it names.

    It may be a list with `row,label` or `sample_id,label`, or a table that a command wrote, like
    worst.csv, in which cells of `label_name` were changed or a column `label` was added. Cells that
    are empty, or as they were, change nothing, and the rows they are about are left out. Lines are
    counted that name an image and have no label for it; `label_name` as it was is none where the
    table has a column for the right one.

    Args:
        path: A csv, tsv or parquet file; further columns do not matter.
        plan: The plan of the run, with its `sample_id`, and `path` and `label_name` where known.
        classes: The classes of the run.
        label: The class of each row as it is, -1 where it has none.

    Raises:
        MissingInput: There is no such file.
        BadLabelFile: It cannot be read, a column is missing, or a row, an image or a label is none
            of the run's; or an image is given two labels.
    """
    wanted = (*ROW_COLUMNS, *LABEL_COLUMNS)
    table = read_written_table(path, wanted=wanted, fault=BadLabelFile)
    columns = [name for name in LABEL_COLUMNS if name in table.columns]
    if not columns or not {*ROW_COLUMNS} & {*table.columns}:
        raise BadLabelFile(
            f"{str(path)!r} has no columns row,label or sample_id,label; it has "
            f"{some(list(table.columns))}",
            hint="a table like worst.csv with cells of label_name changed will do as well",
        )
    lines = [at for at in range(len(table)) if any(table.columns[name][at] for name in columns)]
    filled = table.at(lines)
    rows = filled.rows_of(plan, fault=BadLabelFile)
    names = plan["label_name"].to_pylist() if "label_name" in plan.column_names else []
    strange = {name for name in names if name is not None and classes.index(name) is None}
    mended: dict[int, int] = {}
    for name in columns:
        # A label of the data that is no class, and still stands there, changes nothing.
        cells = [None if cell in strange else cell for cell in filled.columns[name]]
        said = _one_label_each(path, rows, _known_labels(path, cells, classes), classes)
        for row, new in said.items():
            if new != label[row] and mended.setdefault(row, new) != new:
                raise _two_labels(path, row, mended[row], new, classes)
    return MendedLabels(mended, _n_without_label(table, lines, [row in mended for row in rows]))


def _n_without_label(table: WrittenTable, lines: Sequence[int], changes: Sequence[bool]) -> int:
    """Count the lines without a label; `changes` tells whether each of `lines` changes one."""
    present = [name for name in LABEL_COLUMNS if name in table.columns]
    keys = [name for name in ROW_COLUMNS if name in table.columns]
    told = [name for name in present if name != WRITTEN_LABEL] or present
    changed = {line for line, changes_it in zip(lines, changes, strict=True) if changes_it}
    return sum(
        line not in changed
        and any(table.columns[name][line] for name in keys)
        and not any(table.columns[name][line] for name in told)
        for line in range(len(table))
    )


def _one_label_each(
    path: Path, rows: Sequence[int], labels: Sequence[int | None], classes: ClassNames
) -> dict[int, int]:
    """Return the label that a column gives each row, where it gives it one."""
    said: dict[int, int] = {}
    for row, label in zip(rows, labels, strict=True):
        if label is not None and said.setdefault(row, label) != label:
            raise _two_labels(path, row, said[row], label, classes)
    return said


def _two_labels(path: Path, row: int, first: int, second: int, classes: ClassNames) -> BadLabelFile:
    return BadLabelFile(
        f"{str(path)!r} gives row:{row} of the run two labels: {classes[first]!r} and "
        f"{classes[second]!r}"
    )


def _known_labels(
    path: Path, labels: Sequence[str | None], classes: ClassNames
) -> list[int | None]:
    """Return the class of each label, None where there is none; numbers may stand for outputs."""
    distinct = sorted({label for label in labels if label is not None})
    meant = match_labels(distinct, classes, kind=kind_of_labels(distinct, classes))
    unknown = [label for label in labels if label is not None and meant[label] is None]
    if unknown:
        raise BadLabelFile(
            f"{str(path)!r} has labels that are no class of the run: {some(unknown)}",
            hint=which_of(unknown[0], classes.names),
        )
    return [None if label is None else meant[label] for label in labels]

"""Files of marks: marks.json, and tables and notes that say the same."""

from pathlib import Path
from typing import Final

import numpy as np

from errlens.analysis.accuracy.mended_labels import LABEL_COLUMNS, read_labels
from errlens.analysis.marks.mark import (
    VERDICTS,
    WRONG_LABEL,
    Mark,
    Marks,
    checked_mark,
    marks_tree,
    parse_marks,
)
from errlens.analysis.selection.notes import OBSERVATION_COLUMNS, read_notes
from errlens.analysis.selection.picking import Selectable
from errlens.analysis.selection.written_tables import (
    ROW_COLUMNS,
    WrittenTable,
    read_written_table,
)
from errlens.data.tables import TABLE_SUFFIXES
from errlens.documents import BadDocument, parse_json, read_text
from errlens.errors import BadMarks, MissingInput
from errlens.escapes import json_text
from errlens.predictions.table import Predictions
from errlens.run.disk import inside
from errlens.run.folder import RunFolder

_NOTES: Final = (".yaml", ".yml")
SUFFIXES: Final = (".json", *TABLE_SUFFIXES, *_NOTES)
_REMARKED: Final = VERDICTS[-1]  # what an image is that a person only says something of
IMAGE_COLUMNS: Final = ("sample_id", "path", "label_name")  # of the run, that marks.json needs


def read_run_marks(run: RunFolder, images: Predictions) -> dict[int, Mark]:
    """Return the marks that lie in the run folder, by row; none where there is no such file.

    Args:
        run: The run.
        images: All of its images, with `IMAGE_COLUMNS`.

    Raises:
        BadMarks: The file cannot be understood, or does not fit the run.
        OutsideRun: It is a link that leads out of the run.
    """
    place = run.marks_file
    if not (place.is_symlink() or place.exists()):
        return {}
    return _read_json(inside(place, run.path), images, run.info.run_hash)


def write_run_marks(run: RunFolder, marks: Marks, images: Predictions) -> None:
    """Write marks into the run folder, in place of those that lie there.

    Raises:
        OutOfReach: Nothing can be written there.
    """
    tree = marks_tree(marks, images.table, run.info.run_hash)
    run.write_text(run.marks_file, f"{json_text(tree, indent=2)}\n")


def read_marks(path: Path, images: Predictions, among: Selectable, run_hash: str) -> Marks:
    """Read a file of marks: those of each row of the run.

    It is marks.json, as the page exports it; or a table of mended labels, perhaps with a verdict
    and a remark, like labels.csv; or notes about images, like notes.yaml. What no verdict is given
    for is `wrong label` where another label is, else `interesting`.

    Args:
        path: The file.
        images: Of the run, with `IMAGE_COLUMNS`.
        among: The same images, to be selected from by notes.
        run_hash: That of the run.

    Raises:
        MissingInput: There is no such file.
        BadMarks: It is no such file, or it names no image, verdict or class of the run.
        BadLabelFile: The labels of a table are not those of the run.
        BadConfig: It is no file of notes.
        UnfitSelection: A note is about what is not there.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        raise MissingInput(path, what="marks", suffixes=SUFFIXES)
    if kind == ".json":
        return _read_json(path, images, run_hash)
    if kind in TABLE_SUFFIXES:
        table = read_written_table(
            path, wanted=(*ROW_COLUMNS, *LABEL_COLUMNS, *OBSERVATION_COLUMNS), fault=BadMarks
        )
        if "about" not in table.columns:  # as notes.csv has
            return _of_table(table, images)
    elif kind not in _NOTES:
        raise BadMarks(f"{str(path)!r} is none of {', '.join(SUFFIXES)}")
    return _of_notes(path, among)


def _read_json(path: Path, images: Predictions, run_hash: str) -> dict[int, Mark]:
    try:
        tree = parse_json(read_text(path, encoding="utf-8-sig"))
    except BadDocument as error:
        raise BadMarks(f"{str(path)!r} cannot be read as JSON: {error}") from error
    return parse_marks(tree, images.table, images.classes, run_hash, source=repr(str(path)))


def _of_table(table: WrittenTable, images: Predictions) -> dict[int, Mark]:
    """Return the marks of a table whose lines are about images."""
    columns = table.columns
    label = images.table["label"].fill_null(-1).to_numpy()
    has_labels = any(name in columns for name in LABEL_COLUMNS)
    mended = (
        read_labels(table.path, images.table, images.classes, np.asarray(label)).labels
        if has_labels
        else {}
    )
    remarks = [columns[name] for name in OBSERVATION_COLUMNS if name in columns]
    verdicts = columns.get("verdict", [None] * len(table))
    marks: dict[int, Mark] = {}
    for line, row in enumerate(table.rows_of(images.table, fault=BadMarks)):
        remark = "; ".join(text for cells in remarks if (text := cells[line]))
        verdict = verdicts[line] or (WRONG_LABEL if row in mended else _REMARKED if remark else "")
        if not verdict:
            continue
        right = images.classes[mended[row]] if row in mended else None
        source = f"{str(table.path)!r}, row {row}"
        mark = checked_mark(verdict, right, remark, images.classes, source=source)
        if marks.setdefault(row, mark) != mark:
            raise BadMarks(f"{str(table.path)!r} marks row {row} twice, and not alike")
    return marks


def _of_notes(path: Path, among: Selectable) -> dict[int, Mark]:
    """Return the marks of notes that are about images."""
    marks = {}
    for note in read_notes(path, among):
        if note.term.kind == "row":
            block = note.block
            marks[note.term.number] = checked_mark(
                block.get("verdict") or (WRONG_LABEL if block.get("label") else _REMARKED),
                block.get("label"),
                "\n".join(text for key in ("observation", "idea") if (text := block.get(key))),
                among.classes,
                source=f"{str(path)!r}, row {note.term.number}",
            )
    return marks

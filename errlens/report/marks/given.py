"""Marks that a page is given: those in the run folder, and those in files of colleagues."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from errlens.analysis.marks.files import read_marks, read_run_marks
from errlens.analysis.marks.mark import Marks
from errlens.analysis.selection.picking import Selectable
from errlens.errors import BadMarks, OutsideRun
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder


class MarkedBy(NamedTuple):
    """Marks by row, and what their source is called."""

    name: str
    marks: Marks


class GivenMarks(NamedTuple):
    """Marks by their source; `problem` says why those in the run folder cannot be shown."""

    sources: Sequence[MarkedBy] = ()
    problem: str = ""


def read_given(
    run: RunFolder, files: Sequence[Path], images: Predictions, among: Selectable
) -> GivenMarks:
    """Read the marks that a page shows beside those of its reader.

    Nobody asked for those in the run folder: where they are damaged, the page does without.

    Raises:
        InputError: A file cannot be read as marks of this run.
        UsageError: A file of notes is about what is not there.
    """
    given = [
        MarkedBy(str(path), read_marks(path, images, among, run.info.run_hash)) for path in files
    ]
    try:
        kept = read_run_marks(run, images)
    except (BadMarks, OutsideRun) as error:
        return GivenMarks(given, str(error))
    return GivenMarks([MarkedBy(str(run.marks_file), kept), *given] if kept else given)

"""The marks of a run, read from its folder and written there."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from errlens.analysis.marks.files import read_run_marks, write_run_marks
from errlens.analysis.marks.mark import Mark, checked_mark
from errlens.classes.names import ClassNames
from errlens.errors import BadMarks, ErrlensError
from errlens.predictions.table import Predictions
from errlens.run.disk import written_to
from errlens.run.folder import RunFolder
from errlens.run.locks import locked
from errlens.serving.answers import Answer, Refused, json_answer
from errlens.serving.finder import Verdicts

_SOURCE: Final = "what the page sent"


class RunMarks:
    """What people marked: RUN/marks.json, which is whole at any time.

    Other programs may write there meanwhile: what is told, and what is changed, is the file as it
    is then.

    Args:
        run: The run.
        images: All of its images, with `sample_id`, `path` and `label_name`.

    Raises:
        BadMarks: The file that is there cannot be understood.
    """

    def __init__(self, run: RunFolder, images: Predictions) -> None:
        self._run = run
        self._images = images
        self._marks: dict[int, Mark] = {}
        self._version = 0
        self._stamp: _Stamp = None
        self._lock = Lock()
        self._refresh()

    def count(self) -> int:
        """Return how many images are marked.

        Raises:
            BadMarks: The file cannot be understood any more.
        """
        with self._lock:
            return len(self._refresh())

    def verdicts(self) -> Verdicts:
        """Return how rows are marked.

        Raises:
            Refused: The file cannot be understood any more.
        """
        with _refusing(), self._lock:
            by_row = {row: mark.verdict for row, mark in self._refresh().items()}
            return Verdicts(self._version, by_row)

    def read(self) -> Answer:
        """Return all marks by row.

        Raises:
            Refused: The file cannot be understood any more.
        """
        with _refusing(), self._lock:
            return _told(self._refresh())

    def write(self, body: bytes) -> Answer:
        """Take changes, `{"changes": [[row, mark or null], ...]}`; return all marks as `read` does.

        Other pages and programs may have marked meanwhile: only what changed there is changed here.

        Raises:
            Refused: They are no marks of this run, or cannot be written.
        """
        place = self._run.marks_file
        try:
            with _refusing():
                changes = self._checked(_Changes.model_validate_json(body))
                with self._lock, written_to(place), locked(place):
                    merged = {**self._refresh(), **changes}
                    marks = {row: mark for row, mark in merged.items() if mark}
                    write_run_marks(self._run, marks, self._images)
                    self._take(marks, _stamp_of(self._run))
        except ValidationError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{_SOURCE} is no change of marks") from error
        return _told(marks)

    def _refresh(self) -> dict[int, Mark]:
        """Return the marks, read again if the file is another one than it was."""
        stamp = _stamp_of(self._run)
        if stamp != self._stamp:
            self._take(read_run_marks(self._run, self._images), stamp)
        return self._marks

    def _take(self, marks: dict[int, Mark], stamp: "_Stamp") -> None:
        self._marks, self._stamp, self._version = marks, stamp, self._version + 1

    def _checked(self, sent: "_Changes") -> dict[int, Mark | None]:
        """Return what is said of which row; None where a mark is taken back."""
        n, classes = len(self._images), self._images.classes
        changes: dict[int, Mark | None] = {}
        for row, said in sent.changes:
            if not 0 <= row < n:
                raise BadMarks(f"{_SOURCE} is about row {row}; the last row of the run is {n - 1}")
            changes[row] = said.checked(classes, f"{_SOURCE} of row {row}") if said else None
        return changes


class _Said(BaseModel):
    """A mark as the page sends it."""

    model_config = ConfigDict(strict=True)

    verdict: str
    label: str | None = None
    remark: str | None = None

    def checked(self, classes: ClassNames, source: str) -> Mark:
        """Return it as a mark, if it fits the classes of the run."""
        return checked_mark(self.verdict, self.label, self.remark, classes, source=source)


class _Changes(BaseModel):
    model_config = ConfigDict(strict=True)

    changes: list[tuple[int, _Said | None]]


_Stamp = tuple[int, int, int] | None  # by which a file is known; None where there is none


def _stamp_of(run: RunFolder) -> _Stamp:
    try:
        state = run.marks_file.lstat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _told(marks: dict[int, Mark]) -> Answer:
    return json_answer({str(row): mark._asdict() for row, mark in sorted(marks.items())})


@contextmanager
def _refusing() -> Iterator[None]:
    """Answer a request that fails with the sentence why."""
    try:
        yield
    except ErrlensError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error

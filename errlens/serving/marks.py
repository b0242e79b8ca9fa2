"""The marks of a run, read from its folder and written there."""

from http import HTTPStatus
from threading import Lock
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from errlens.analysis.marks.files import read_run_marks, write_run_marks
from errlens.analysis.marks.mark import Mark, checked_mark
from errlens.classes.names import ClassNames
from errlens.errors import BadMarks, ErrlensError
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder
from errlens.serving.answers import Answer, Refused, json_answer
from errlens.serving.finder import Verdicts

_SOURCE: Final = "what the page sent"


class RunMarks:
    """What people marked: RUN/marks.json, which is whole at any time.

    Args:
        run: The run.
        images: All of its images, with `sample_id`, `path` and `label_name`.

    Raises:
        BadMarks: The file that is there cannot be understood.
    """

    def __init__(self, run: RunFolder, images: Predictions) -> None:
        self._run = run
        self._images = images
        self._marks: dict[int, Mark] = read_run_marks(run, images)
        self._version = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._marks)

    @property
    def verdicts(self) -> Verdicts:
        """How rows are marked."""
        with self._lock:
            by_row = {row: mark.verdict for row, mark in self._marks.items()}
            return Verdicts(self._version, by_row)

    def read(self) -> Answer:
        """Return all marks by row."""
        with self._lock:
            return json_answer({str(row): mark._asdict() for row, mark in self._marks.items()})

    def write(self, body: bytes) -> Answer:
        """Take changes, `{"changes": [[row, mark or null], ...]}`, and write all marks.

        Other pages may have marked meanwhile: only what changed there is changed here.

        Raises:
            Refused: They are no marks of this run, or cannot be written.
        """
        try:
            changes = self._checked(_Changes.model_validate_json(body))
            with self._lock:
                marks = {row: mark for row, mark in {**self._marks, **changes}.items() if mark}
                write_run_marks(self._run, marks, self._images)
                self._marks, self._version = marks, self._version + 1
        except ValidationError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{_SOURCE} is no change of marks") from error
        except ErrlensError as error:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        return json_answer({})

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

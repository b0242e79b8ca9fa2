"""The marks of a run, read from its folder and written there."""

from http import HTTPStatus
from threading import Lock
from typing import Final

from errlens.analysis.marks.files import read_run_marks, write_run_marks
from errlens.analysis.marks.mark import marks_tree, parse_marks
from errlens.documents import BadDocument, parse_json
from errlens.errors import ErrlensError
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
        self._marks = read_run_marks(run, images)
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
        """Return marks.json as it is, or would be."""
        with self._lock:
            return json_answer(marks_tree(self._marks, self._images.table, self._run.info.run_hash))

    def write(self, body: bytes) -> Answer:
        """Take marks in place of all that there are, write them, and return them.

        Raises:
            Refused: They are no marks of this run, or cannot be written.
        """
        try:
            tree = parse_json(body.decode())
            classes, run_hash = self._images.classes, self._run.info.run_hash
            marks = parse_marks(tree, self._images.table, classes, run_hash, source=_SOURCE)
            with self._lock:
                write_run_marks(self._run, marks, self._images)
                self._marks, self._version = marks, self._version + 1
        except (UnicodeDecodeError, BadDocument) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{_SOURCE} is no JSON") from error
        except ErrlensError as error:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        return self.read()

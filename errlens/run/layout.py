"""What the files of a run folder are called; nothing else in errlens knows.

Every file is written under a name that starts with a dot and then renamed, so that a reader sees
it whole or not at all, and no link leads out of the folder.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from errlens.documents import parse_json, read_text
from errlens.escapes import json_text
from errlens.run.disk import atomically, inside
from errlens.run.tables import write_parquet

# What an evaluation consists of; `--overwrite` removes these and nothing else.
EVALUATION: Final = (
    "predictions", "logits", "features", "metrics.json", "classes.csv", "baseline.parquet",
    "suggested_classes.txt", "extra.parquet", "plan.parquet", "run.json",
)  # fmt: skip


class _Inside:
    """A file or folder of a run, by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, run: "RunLayout", _kind: type | None = None) -> Path:
        return run.path / self._name


class RunLayout:
    """The files of a run by name, and how one of them is read and written."""

    info_file = _Inside("run.json")  # settings and provenance of the run
    plan_file = _Inside("plan.parquet")  # the frozen list of inputs
    extra_file = _Inside("extra.parquet")  # further columns of the manifest, by row
    metrics_file = _Inside("metrics.json")  # accuracy, calibration and the like, over all classes
    classes_file = _Inside("classes.csv")  # recall, precision and F1 of each class
    baseline_file = _Inside("baseline.parquet")  # what a later run needs to be compared
    gates_file = _Inside("gates.json")  # what the gates of `errlens check` found
    junit_file = _Inside("junit.xml")  # the same for a CI server
    marks_file = _Inside("marks.json")  # what a person says of single images
    # Class names that would agree with the predictions, where those in use do not.
    suggested_classes_file = _Inside("suggested_classes.txt")
    summary_file = _Inside("summary.md")  # the run in a few lines of Markdown
    predictions_folder = _Inside("predictions")  # the parts of the predictions table

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        """Return where it lies: a run may be given wherever its folder may."""
        return str(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def report_file(self, about: str = "") -> Path:
        """The page about the run, or about images that were selected from it."""
        return self.path / (f"report-{about}.html" if about else "report.html")

    @property
    def thumbnails_folder(self) -> Path:
        """Small pictures kept for the next page; hidden, for they are no results.

        Raises:
            OutsideRun: It is a link that leads out of the run.
        """
        return inside(self.path / ".thumbnails", self.path)

    def part_file(self, shard: int) -> Path:
        """Where the predictions of one shard lie."""
        return self.predictions_folder / f"part-{shard:05d}.parquet"

    def sidecar_file(self, kind: str, shard: int) -> Path:
        """Where the logits or features of one shard lie."""
        return self.path / kind / f"part-{shard:05d}.npy"

    def results_folder(self, kind: str) -> Path:
        """Where a command, by its name, puts what it makes of the run.

        Raises:
            OutsideRun: It is a link that leads out of the run.
        """
        return inside(self.path / kind, self.path)

    def written(self) -> list[Path]:
        """Return the files and folders of the evaluation that exist."""
        return [self.path / name for name in EVALUATION if (self.path / name).exists()]

    def write_text(self, path: Path, text: str) -> None:
        """Write a file of text.

        Raises:
            OutOfReach: Nothing can be written there.
        """
        with self._atomically(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")

    def _read_json(self, path: Path) -> Any:
        return parse_json(read_text(inside(path, self.path)))

    def _write_table(self, path: Path, table: pa.Table) -> None:
        with self._atomically(path) as temporary:
            write_parquet(temporary, table)

    def _write_json(self, path: Path, tree: Mapping[str, Any]) -> None:
        text = json_text(tree, indent=2)
        self.write_text(path, text + "\n")

    def _atomically(self, path: Path) -> AbstractContextManager[Path]:
        return atomically(path, folder=self.path)

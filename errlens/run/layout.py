"""What the files of a run folder are called: the only place that knows.

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
    "predictions",
    "logits",
    "features",
    "metrics.json",
    "classes.csv",
    "baseline.parquet",
    "suggested_classes.txt",
    "extra.parquet",
    "plan.parquet",
    "run.json",
)


class RunLayout:
    """The files of a run by name, and how one of them is read and written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def info_file(self) -> Path:
        """Settings and provenance of the run."""
        return self.path / "run.json"

    @property
    def plan_file(self) -> Path:
        """The frozen list of inputs."""
        return self.path / "plan.parquet"

    @property
    def extra_file(self) -> Path:
        """Further columns of the manifest, by row."""
        return self.path / "extra.parquet"

    @property
    def metrics_file(self) -> Path:
        """Accuracy, calibration and the like, over all classes."""
        return self.path / "metrics.json"

    @property
    def classes_file(self) -> Path:
        """Recall, precision and F1 of each class."""
        return self.path / "classes.csv"

    @property
    def baseline_file(self) -> Path:
        """The little that a later run needs for a comparison."""
        return self.path / "baseline.parquet"

    @property
    def gates_file(self) -> Path:
        """What the gates of `errlens check` found."""
        return self.path / "gates.json"

    @property
    def junit_file(self) -> Path:
        """The same for a CI server."""
        return self.path / "junit.xml"

    @property
    def suggested_classes_file(self) -> Path:
        """Class names that would agree with the predictions, where those in use do not."""
        return self.path / "suggested_classes.txt"

    @property
    def summary_file(self) -> Path:
        """The run in a few lines of Markdown."""
        return self.path / "summary.md"

    def report_file(self, about: str = "") -> Path:
        """The run on one page, or what there is to say about something in it."""
        return self.path / (f"report-{about}.html" if about else "report.html")

    @property
    def thumbnails_folder(self) -> Path:
        """Small pictures kept for the next page; hidden, for they are no results.

        Raises:
            OutsideRun: It is a link that leads out of the run.
        """
        return inside(self.path / ".thumbnails", self.path)

    @property
    def predictions_folder(self) -> Path:
        """The parts of the predictions table."""
        return self.path / "predictions"

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

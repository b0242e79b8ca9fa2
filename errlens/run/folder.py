"""The run folder: the folder one evaluation writes and every other command reads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens.errors import NoLabels, NotARun
from errlens.escapes import cell
from errlens.run.csv_tables import write_csv
from errlens.run.disk import written_to
from errlens.run.identity import now
from errlens.run.locks import locked
from errlens.run.making import RunInProgress
from errlens.run.places import which_of_here
from errlens.run.reading import RELABELLED

BASELINE_COLUMNS: Final = ("sample_id", "content_hash", "label_name", "pred_name", "correct")


class RunFolder(RunInProgress):
    """A run at its end: what follows from its predictions is written, or withheld."""

    def complete(
        self,
        metrics: Mapping[str, Any],
        classes: pd.DataFrame,
        *,
        photos: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what follows from the predictions and record that the run is complete.

        `photos` is what was counted of all photos.
        """
        info = replace(self.info, status="complete", photos=photos or {}, finished=now())
        self._write_json(self.metrics_file, {**metrics, "run_hash": info.run_hash})
        with self._atomically(self.classes_file) as temporary:
            write_csv(temporary, classes)
        self._write_table(self.baseline_file, self.read_predictions(BASELINE_COLUMNS).table)
        self.write_info(info)

    def write_gates(self, tree: Mapping[str, Any], junit: bytes) -> None:
        """Write what the gates found, for programs and for a CI server.

        Raises:
            OutOfReach: Nothing can be written there.
        """
        with written_to(self.gates_file), locked(self.gates_file):  # both of the same call
            self._write_json(self.gates_file, tree)
            with self._atomically(self.junit_file) as temporary:
                temporary.write_bytes(junit)

    def withhold(self, names: Sequence[str]) -> None:
        """Record that labels and outputs do not match: predictions stay, results go.

        `names` are lines of a class file, as for `suggest_classes`.
        """
        for path in (self.metrics_file, self.classes_file, self.baseline_file):
            with written_to(path):
                path.unlink(missing_ok=True)
        self.suggest_classes(names)
        self.write_info(replace(self.info, status=RELABELLED, finished=now()))

    def no_labels(self) -> NoLabels:
        """Return the failure that nothing in this run is right or wrong, and what may help."""
        labelled = not self.metrics.get("n_ok")  # what is ok and does not count has no label
        return NoLabels(self.path, imported=self.info.imported, labelled=labelled)

    def suggest_classes(self, names: Sequence[str]) -> None:
        """Write other names for the outputs, as lines of a class file, first output first."""
        with self._atomically(self.suggested_classes_file) as temporary:
            temporary.write_text("".join(f"{cell(name)}\n" for name in names), encoding="utf-8")


def open_run(path: str | Path) -> RunFolder:
    """Open a run folder for reading.

    Raises:
        NotARun: errlens did not write this folder.
    """
    folder = RunFolder(Path(path))
    _ = folder.info
    return folder


def newest_run(folder: Path) -> RunFolder:
    """Open the run in a folder of runs that was written to last.

    Raises:
        NotARun: There is none.
    """
    runs = [(file.stat().st_mtime_ns, file.parent) for file in folder.glob("*/run.json")]
    if not runs:
        raise NotARun(
            f"no RUN was given, and there is none in {str(folder)!r}",
            hint=which_of_here(),
        )
    return open_run(max(runs)[1])

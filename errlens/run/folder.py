"""The run folder: the only place that knows what its files are called.

Every file is written under a name that starts with a dot and then renamed, so that a reader sees
it whole or not at all. What is read may be damaged, or come from anywhere: it is checked here, once
for all commands, and no link leads out of the folder.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.documents import parse_json, read_text
from errlens.errors import (
    ErrlensError,
    IncompleteRun,
    InputError,
    LabelSpaceMismatch,
    NoModel,
    NotARun,
    StaleRun,
    UnfitOption,
    some,
)
from errlens.escapes import cell, json_text
from errlens.formats import counted
from errlens.predictions.table import SCHEMA, SCHEMA_VERSION, Predictions, part_metadata
from errlens.run.csv_tables import read_csv, write_csv
from errlens.run.disk import atomically, inside, written_to
from errlens.run.identity import RunInfo, now, plan_differences, setting_differences
from errlens.run.locks import locked
from errlens.run.metrics_file import require_metrics
from errlens.run.parquet_files import write_parquet
from errlens.run.tables import (
    AFRESH,
    PLAN_SCHEMA,
    RESUME,
    origin_of_part,
    read_extra,
    read_part,
    read_plan,
    read_sidecar,
    rows_of_shards,
)

BASELINE_COLUMNS: Final = ("sample_id", "content_hash", "label_name", "pred_name", "correct")
RELABELLED: Final = "relabelled"  # the status of a run whose class names seem to be wrong

# The columns of classes.csv that hold numbers.
CLASS_FIGURES: Final = (
    "n", "recall", "recall_low", "recall_high",
    "precision", "precision_low", "precision_high", "f1",
)  # fmt: skip

# What an evaluation consists of; `--overwrite` removes these and nothing else.
_OWN: Final = (
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


Options = ParamSpec("Options")
Result = TypeVar("Result")


def _alone(
    method: "Callable[Concatenate[RunFolder, Options], Result]",
) -> "Callable[Concatenate[RunFolder, Options], Result]":
    """Let one process at a time change the predictions of a run."""

    @wraps(method)
    def called(run: "RunFolder", /, *args: Options.args, **kwargs: Options.kwargs) -> Result:
        if run.path.exists() and not run.path.is_dir():
            return method(run, *args, **kwargs)  # which says what is wrong
        with written_to(run.path):
            run.path.mkdir(parents=True, exist_ok=True)
            with locked(run.predictions_folder):
                return method(run, *args, **kwargs)

    return called


class RunFolder:
    """The folder one evaluation writes and every other command reads."""

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
        """Small pictures that were made once; hidden, since they are nobody's results.

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

    @property
    def info(self) -> RunInfo:
        """What `run.json` says.

        Raises:
            NotARun: There is no readable `run.json`.
        """
        hint = "errlens evaluate DATA --model NAME makes one"
        if not self.info_file.is_file():
            raise NotARun(f"{str(self.path)!r} is no run folder", hint=hint)
        try:
            found = self._read_json(self.info_file)
            if not isinstance(found, dict) or "schema_version" not in found:
                raise ValueError("it has no schema_version")
            if found["schema_version"] == SCHEMA_VERSION:
                return RunInfo.from_dict(found)
        except ValueError as error:
            raise NotARun(f"{str(self.info_file)!r} is damaged: {error}", hint=hint) from error
        raise NotARun(f"{str(self.path)!r} was written by another version of errlens", hint=hint)

    def require_model(self) -> RunInfo:
        """Return what `run.json` says of a run whose model can be loaded again.

        Raises:
            NoModel: The predictions were made elsewhere.
        """
        info = self.info
        if info.imported:
            raise NoModel(self.path, table=info.data)
        return info

    @property
    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` says.

        Raises:
            StaleRun: It is damaged.
        """
        self.require_complete()
        try:
            return dict(require_metrics(self._read_json(self.metrics_file)))
        except ValueError as error:
            raise _damaged(self.metrics_file, error) from error

    def read_classes(self) -> pd.DataFrame:
        """Return the figures of each class: `classes.csv`.

        Raises:
            IncompleteRun: There is no such file.
            StaleRun: It was changed.
        """
        self.require_complete()
        path = inside(self.classes_file, self.path)
        if not path.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no {path.name}", hint=RESUME)
        try:
            found = read_csv(path, text=("class_name", "superclass"))
        except ValueError as error:  # what pandas' own errors are, too
            raise _damaged(path, error) from error
        missing = {"class_name", "n"} - set(found)
        if missing:
            raise StaleRun(f"{str(path)!r} has no column {some(sorted(missing))}", hint=AFRESH)
        for name in found.columns.intersection([*CLASS_FIGURES]):
            if not pd.api.types.is_numeric_dtype(found[name]) or np.isinf(found[name]).any():
                raise _damaged(path, f"{name!r} should hold numbers")
        return found

    def read_sidecars(self, kind: str) -> Iterator[np.ndarray]:
        """Read the logits or features of the predicted images part by part; none if not kept."""
        info = self.info
        for shard, rows in enumerate(self._rows_of_shards() if kind in info.keep else ()):
            yield self._read_sidecar(kind, shard, rows, info)

    def read_sidecar(self, kind: str, shard: int) -> np.ndarray:
        """Read the logits or features of the predicted images of one part.

        Returns:
            Float16, shape (images, classes) or (images, features).

        Raises:
            IncompleteRun: They are missing or damaged.
        """
        return self._read_sidecar(kind, shard, self._rows_of_shards()[shard], self.info)

    def read_extra(self) -> pd.DataFrame:
        """Return the further columns of the manifest, one row a row of the plan; maybe none.

        Raises:
            IncompleteRun: They are damaged.
        """
        path = inside(self.extra_file, self.path)
        if not path.exists():
            return pd.DataFrame()
        return read_extra(path, n_rows=len(self._read_plan(["shard"])))

    @property
    def predictions(self) -> Predictions:
        """The whole predictions table."""
        return self.read_predictions()

    def read_predictions(self, columns: Sequence[str] = tuple(SCHEMA.names)) -> Predictions:
        """Read some columns of the predictions, all parts, in plan order.

        Raises:
            IncompleteRun: Parts are missing or damaged.
            StaleRun: A part was made with other settings than `run.json` says.
        """
        tables = [part.table for part in self.read_parts(columns)]
        return Predictions(
            pa.concat_tables(tables).unify_dictionaries(), self.info.classes, self.info.superclasses
        )

    def read_parts(self, columns: Sequence[str]) -> Iterator[Predictions]:
        """Read some columns of the predictions part by part, for what fits no memory at once.

        Raises:
            IncompleteRun: Parts are missing or damaged.
            StaleRun: A part was made with other settings than `run.json` says.
        """
        info, absent = self.info, self.unfinished()
        if absent:
            raise IncompleteRun(
                f"missing or damaged: {counted(len(absent), 'part')} of {str(self.path)!r}",
                hint=RESUME,
            )
        for shard, rows in enumerate(self._rows_of_shards()):
            yield read_part(self.part_file(shard), columns, info, rows)

    def read_part(self, shard: int, columns: Sequence[str] = tuple(SCHEMA.names)) -> Predictions:
        """Read some columns of one part of the predictions.

        Raises:
            IncompleteRun: It is missing or damaged.
        """
        path = inside(self.part_file(shard), self.path)
        return read_part(path, columns, self.info, self._rows_of_shards()[shard])

    def read_row(self, row: int, columns: Sequence[str] = tuple(SCHEMA.names)) -> dict[str, Any]:
        """Return some columns of one row of the predictions, as plain values."""
        shard, rows = next(
            (shard, rows) for shard, rows in enumerate(self._rows_of_shards()) if row in rows
        )
        found = self.read_part(shard, columns).table.slice(row - rows.start, 1).to_pylist()
        one: dict[str, Any] = found[0]
        return one

    @_alone
    def begin(
        self,
        info: RunInfo,
        plan: pa.Table,
        *,
        extra: pd.DataFrame | None = None,
        overwrite: bool = False,
    ) -> pa.Table:
        """Make the folder ready for predictions and return the plan to follow.

        Parts that this very run has made are kept, and so is the plan they follow, whatever
        `--part-size` says now.

        Raises:
            UnfitOption: The folder holds something that is no run.
            StaleRun: Parts were made from other data or with other settings, and `overwrite` is
                off.
        """
        with written_to(self.path):
            taken = self.path.exists() and not self.path.is_dir()
            if taken or (not self.info_file.exists() and any(self.path.glob("[!.]*"))):
                raise UnfitOption(
                    f"{str(self.path)!r} exists and is no run folder",
                    hint="choose another -o, or empty it first",
                )
            if overwrite:
                self._clear()
            if any(inside(self.predictions_folder, self.path).glob("part-*.parquet")):
                self._refuse_others(info, plan)
                plan = self.plan
            self.path.mkdir(parents=True, exist_ok=True)
            self.suggested_classes_file.unlink(missing_ok=True)
        with self.in_work():
            self.write_info(info)  # first: it makes a run of the folder
            with written_to(self.predictions_folder):
                self.predictions_folder.mkdir(exist_ok=True)
            self._write_table(self.plan_file, plan)
            if extra is not None:
                table = pa.Table.from_pandas(extra, preserve_index=False)
                self._write_table(self.extra_file, table)
        return plan

    @contextmanager
    def in_work(self) -> Iterator[None]:
        """Whatever ends the work, `run.json` does not go on saying that the run is running."""
        try:
            yield
        except BaseException:
            with suppress(ErrlensError):  # a disk may be full
                self.interrupt()
            raise

    def interrupt(self) -> None:
        """Record that the run was stopped, if it was not at its end."""
        if self.info.status == "running":
            self.write_info(replace(self.info, status="interrupted", finished=now()))

    def write_info(self, info: RunInfo) -> None:
        """Write `run.json`."""
        self._write_json(self.info_file, info.as_dict())

    def write_text(self, path: Path, text: str) -> None:
        """Write a file of text.

        Raises:
            OutOfReach: Nothing can be written there.
        """
        with self._atomically(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")

    @property
    def plan(self) -> pa.Table:
        """The frozen list of inputs.

        Raises:
            IncompleteRun: It is missing or damaged.
        """
        return self._read_plan(PLAN_SCHEMA.names)

    @property
    def n_parts(self) -> int:
        """How many parts the predictions have."""
        return len(self._rows_of_shards())

    def unfinished(self) -> list[int]:
        """Return the shards that still have to be predicted.

        Raises:
            StaleRun: A part was made with other settings than `run.json` says.
        """
        info = self.info
        return [
            shard
            for shard, rows in enumerate(self._rows_of_shards())
            if not self._part_is_whole(shard, rows, info)
        ]

    def require_own(self, info: RunInfo) -> None:
        """Refuse to go on with a run that another process has begun anew.

        Raises:
            StaleRun: One has, with other settings.
        """
        if self.info.run_hash != info.run_hash:
            raise StaleRun(
                f"another process has begun {str(self.path)!r} anew, with other settings",
                hint="-o writes elsewhere",
            )

    @_alone
    def write_part(
        self,
        shard: int,
        table: pa.Table,
        sidecars: Mapping[str, np.ndarray],
        info: RunInfo,
        *,
        photos: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the predictions of one shard; the part comes last and vouches for the rest.

        `photos` is what was counted of its photos: the part remembers it beside its table.
        """
        for kind, array in sidecars.items():
            target = self.sidecar_file(kind, shard)
            with written_to(target):
                target.parent.mkdir(exist_ok=True)
            with self._atomically(target) as temporary, temporary.open("wb") as file:
                np.save(file, array)
        metadata = part_metadata(
            info.settings.as_dict(), run_hash=info.run_hash, shard=shard, photos=photos or {}
        )
        self._write_table(self.part_file(shard), table.replace_schema_metadata(metadata))

    def read_photo_counts(self) -> Iterator[dict[str, Any]]:
        """Yield what each part of a complete run remembers of its photos; an older one nothing."""
        for shard, rows in enumerate(self._rows_of_shards()):
            made_by = origin_of_part(inside(self.part_file(shard), self.path), rows) or {}
            yield made_by.get("photos") or {}

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

    def suggest_classes(self, names: Sequence[str]) -> None:
        """Write other names for the outputs, as lines of a class file, first output first."""
        with self._atomically(self.suggested_classes_file) as temporary:
            temporary.write_text("".join(f"{cell(name)}\n" for name in names), encoding="utf-8")

    def require_complete(self) -> None:
        """Refuse to build on a run that is not complete.

        Raises:
            LabelSpaceMismatch: Its labels and the outputs of its model do not match.
            IncompleteRun: It has not come to its end.
        """
        if self.info.status == RELABELLED:
            raise LabelSpaceMismatch(
                f"labels and outputs of {str(self.path)!r} do not match; nothing can be said of it",
                hint=f"{self.suggested_classes_file} holds names that agree with the predictions, "
                "with a '? ' before those to be decided by hand: evaluate again with it as "
                "--classes, to another -o; or with --trust-labels",
            )
        if not self.metrics_file.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no metrics yet", hint=RESUME)

    def written(self) -> list[Path]:
        """Return the files and folders of the evaluation that exist."""
        return [self.path / name for name in _OWN if (self.path / name).exists()]

    def _read_plan(self, columns: Sequence[str]) -> pa.Table:
        return read_plan(inside(self.plan_file, self.path), columns)

    def _rows_of_shards(self) -> list[range]:
        return rows_of_shards(self._read_plan(["shard"]))

    def _part_is_whole(self, shard: int, rows: range, info: RunInfo) -> bool:
        """Tell whether a part can be read to its end and belongs to this run.

        Raises:
            StaleRun: It is a good part of another run.
        """
        path = inside(self.part_file(shard), self.path)
        made_by = origin_of_part(path, rows)
        if made_by is None:
            return False
        if made_by.get("run_hash") != info.run_hash:
            raise StaleRun(
                f"{str(path)!r} was made with other settings than run.json says", hint=AFRESH
            )
        kept = [inside(self.sidecar_file(kind, shard), self.path) for kind in info.keep]
        return made_by.get("shard") == shard and all(sidecar.is_file() for sidecar in kept)

    def _read_sidecar(self, kind: str, shard: int, rows: range, info: RunInfo) -> np.ndarray:
        path = inside(self.sidecar_file(kind, shard), self.path)
        part = read_part(self.part_file(shard), ["logits_row"], info, rows).table
        n_rows = len(part) - part["logits_row"].null_count
        width = len(info.classes) if kind == "logits" else None
        return read_sidecar(path, n_rows=n_rows, width=width)

    def _refuse_others(self, info: RunInfo, plan: pa.Table) -> None:
        """Raise StaleRun where the parts that are here come from other data or settings."""
        before = self.info
        differences = plan_differences(self.plan, plan)
        message = f"the data are no longer those of {str(self.path)!r}"
        if not differences and before.run_hash != info.run_hash:
            differences = setting_differences(before.settings, info.settings)
            message = f"{str(self.path)!r} was made with other settings"
        if differences:
            raise StaleRun(
                f"{message}: {'; '.join(differences)}",
                hint="--overwrite starts afresh, -o writes elsewhere",
            )

    def _clear(self) -> None:
        for path in [self.path / name for name in _OWN]:
            if path.is_dir() and not path.is_symlink():
                try:
                    shutil.rmtree(path)
                except RecursionError as error:
                    raise InputError(
                        f"{str(path)!r} holds folders in folders without end"
                    ) from error
            else:
                path.unlink(missing_ok=True)

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
    found = [(one.stat().st_mtime_ns, one.parent) for one in folder.glob("*/run.json")]
    if not found:
        raise NotARun(
            f"no RUN was given, and there is none in {str(folder)!r}",
            hint="errlens evaluate DATA --model NAME makes one",
        )
    return open_run(max(found)[1])


def _damaged(path: Path, problem: object) -> StaleRun:
    return StaleRun(f"{str(path)!r} is damaged: {problem}", hint=AFRESH)

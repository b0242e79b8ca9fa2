"""The run folder: the only place that knows what its files are called.

Every file is written under a name that starts with a dot and then renamed, so that a reader sees
it whole or not at all. Paths are given to pyarrow from the root: it takes `a:b/plan.parquet` for an
address of the kind `a`.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.csv_tables import read_csv, write_csv
from errlens.errors import (
    IncompleteRun,
    LabelSpaceMismatch,
    NoModel,
    NotARun,
    StaleRun,
    UnfitOption,
    some,
)
from errlens.escapes import cell, json_text
from errlens.formats import counted
from errlens.identity import RunInfo, now, plan_differences, setting_differences
from errlens.parquet_files import open_parquet, read_parquet, write_parquet
from errlens.predictions import SCHEMA, SCHEMA_VERSION, Predictions, part_metadata

PLAN_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("sample_id", pa.string()),
        ("path", pa.string()),
        ("split", pa.string()),
        ("label_name", pa.string()),  # as the data spell it
        ("size_bytes", pa.int64()),
        ("shard", pa.int32()),
    ]
)

BASELINE_COLUMNS: Final = ("sample_id", "content_hash", "label_name", "pred_name", "correct")
RELABELLED: Final = "relabelled"  # the status of a run whose class names seem to be wrong
RESUME: Final = "the command that made it goes on where it stopped: run it again"
AFRESH: Final = "evaluate again with --overwrite"

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
        """Small pictures that were made once; hidden, since they are nobody's results."""
        return self.path / ".thumbnails"

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

    @property
    def info(self) -> RunInfo:
        """What `run.json` says.

        Raises:
            NotARun: There is no readable `run.json`.
        """
        hint = "errlens evaluate DATA --model NAME makes one"
        try:
            found = json.loads(self.info_file.read_text(encoding="utf-8"))
            if found["schema_version"] == SCHEMA_VERSION:
                return RunInfo.from_dict(found)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotARun(f"{str(self.path)!r} is no run folder", hint=hint) from error
        except (ValueError, TypeError, KeyError) as error:
            raise NotARun(f"{str(self.info_file)!r} is damaged: {error!r}", hint=hint) from error
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
            found: dict[str, Any] = json.loads(self.metrics_file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StaleRun(
                f"{str(self.metrics_file)!r} is damaged: {error}", hint=AFRESH
            ) from error
        return found

    def read_classes(self) -> pd.DataFrame:
        """Return the figures of each class: `classes.csv`.

        Raises:
            IncompleteRun: There is no such file.
            StaleRun: It was changed.
        """
        self.require_complete()
        if not self.classes_file.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no {self.classes_file.name}", hint=RESUME)
        try:
            found = read_csv(self.classes_file, text=("class_name", "superclass"))
        except ValueError as error:  # what pandas' own errors are, too
            raise StaleRun(
                f"{str(self.classes_file)!r} is damaged: {error}", hint=AFRESH
            ) from error
        missing = {"class_name", "n"} - set(found)
        if missing:
            raise StaleRun(
                f"{str(self.classes_file)!r} has no column {some(sorted(missing))}", hint=AFRESH
            )
        return found

    def read_sidecars(self, kind: str) -> Iterator[np.ndarray]:
        """Read the logits or features of the predicted images part by part; none if not kept."""
        for shard in range(self.n_parts) if kind in self.info.keep else ():
            yield self.read_sidecar(kind, shard)

    def read_sidecar(self, kind: str, shard: int) -> np.ndarray:
        """Read the logits or features of the predicted images of one part.

        Raises:
            IncompleteRun: They are missing or damaged.
        """
        path = self.sidecar_file(kind, shard)
        predicted = _read_columns(self.part_file(shard), ["logits_row"])["logits_row"]
        try:
            found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
            if len(found) == len(predicted) - predicted.null_count:
                return found
        except (OSError, ValueError, EOFError, TypeError):
            pass
        raise IncompleteRun(f"{str(path)!r} is missing or damaged", hint=f"remove it; {RESUME}")

    def read_extra(self) -> pd.DataFrame:
        """Return the further columns of the manifest, one row a row of the plan; maybe none."""
        if not self.extra_file.exists():
            return pd.DataFrame()
        found: pd.DataFrame = read_parquet(self.extra_file).to_pandas()
        return found.drop(columns="row")  # that of the plan

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
        for shard in range(self.n_parts):
            yield self._read_part(shard, columns, info)

    def read_part(self, shard: int, columns: Sequence[str] = tuple(SCHEMA.names)) -> Predictions:
        """Read some columns of one part of the predictions.

        Raises:
            IncompleteRun: It is missing or damaged.
        """
        return self._read_part(shard, columns, self.info)

    def read_row(self, row: int, columns: Sequence[str] = tuple(SCHEMA.names)) -> dict[str, Any]:
        """Return some columns of one row of the predictions, as plain values."""
        shards = self.plan["shard"].to_numpy()
        place = row - int(np.searchsorted(shards, shards[row]))
        found = self.read_part(int(shards[row]), columns).table.slice(place, 1).to_pylist()
        one: dict[str, Any] = found[0]
        return one

    def _read_part(self, shard: int, columns: Sequence[str], info: RunInfo) -> Predictions:
        wanted = pa.schema([SCHEMA.field(name) for name in columns])
        table = _read_columns(self.part_file(shard), columns).replace_schema_metadata(None)
        # Parquet calls the items of a list otherwise, which only a strict comparison sees.
        as_wanted = table.schema.equals(wanted, check_metadata=True)
        table = table if as_wanted else table.cast(wanted)
        return Predictions(table, info.classes, info.superclasses)

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
        taken = self.path.exists() and not self.path.is_dir()
        if taken or (not self.info_file.exists() and any(self.path.glob("[!.]*"))):
            raise UnfitOption(
                f"{str(self.path)!r} exists and is no run folder",
                hint="choose another -o, or empty it first",
            )
        if overwrite:
            self._clear()
        if any(self.predictions_folder.glob("part-*.parquet")):
            self._refuse_others(info, plan)
            plan = self.plan
        self.predictions_folder.mkdir(parents=True, exist_ok=True)
        self.suggested_classes_file.unlink(missing_ok=True)
        self.write_info(info)
        self._write_table(self.plan_file, plan)
        if extra is not None:
            self._write_table(self.extra_file, pa.Table.from_pandas(extra, preserve_index=False))
        return plan

    def write_info(self, info: RunInfo) -> None:
        """Write `run.json`."""
        self._write_json(self.info_file, info.as_dict())

    def write_text(self, path: Path, text: str) -> None:
        """Write a file of text.

        Raises:
            UnfitOption: Nothing can be written there.
        """
        try:
            with _atomically(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UnfitOption(
                f"{str(path)!r} cannot be written: {(error.strerror or str(error)).lower()}",
                hint="see what stands there; or copy the run to where you may write",
            ) from error

    def interrupt(self) -> None:
        """Record that the run was stopped."""
        self.write_info(replace(self.info, status="interrupted", finished=now()))

    @property
    def plan(self) -> pa.Table:
        """The frozen list of inputs."""
        self._require_plan()
        return read_parquet(self.plan_file, schema=PLAN_SCHEMA)

    @property
    def n_parts(self) -> int:
        """How many parts the predictions have."""
        self._require_plan()
        return int(read_parquet(self.plan_file, columns=["shard"])["shard"][-1].as_py()) + 1

    def unfinished(self) -> list[int]:
        """Return the shards that still have to be predicted.

        Raises:
            StaleRun: A part was made with other settings than `run.json` says.
        """
        info = self.info
        return [shard for shard in range(self.n_parts) if not self._part_is_whole(shard, info)]

    def write_part(
        self, shard: int, table: pa.Table, sidecars: Mapping[str, np.ndarray], info: RunInfo
    ) -> None:
        """Write the predictions of one shard; the part comes last and vouches for the rest."""
        for kind, array in sidecars.items():
            target = self.sidecar_file(kind, shard)
            target.parent.mkdir(exist_ok=True)
            with _atomically(target) as temporary, temporary.open("wb") as file:
                np.save(file, array)
        metadata = part_metadata(info.settings.as_dict(), run_hash=info.run_hash, shard=shard)
        self._write_table(self.part_file(shard), table.replace_schema_metadata(metadata))

    def complete(self, metrics: Mapping[str, Any], classes: pd.DataFrame) -> None:
        """Write what follows from the predictions and record that the run is complete."""
        info = replace(self.info, status="complete", finished=now())
        self._write_json(self.metrics_file, {**metrics, "run_hash": info.run_hash})
        with _atomically(self.classes_file) as temporary:
            write_csv(temporary, classes)
        self._write_table(self.baseline_file, self.read_predictions(BASELINE_COLUMNS).table)
        self.write_info(info)

    def write_gates(self, tree: Mapping[str, Any], junit: bytes) -> None:
        """Write what the gates found, for programs and for a CI server.

        Raises:
            UnfitOption: Nothing can be written there.
        """
        try:
            self._write_json(self.gates_file, tree)
            with _atomically(self.junit_file) as temporary:
                temporary.write_bytes(junit)
        except OSError as error:
            raise UnfitOption(
                f"{str(self.path)!r} cannot be written: {(error.strerror or str(error)).lower()}",
                hint="see what stands there; or copy the run to where you may write",
            ) from error

    def withhold(self, names: Sequence[str]) -> None:
        """Record that labels and outputs do not match: predictions stay, results go."""
        for path in (self.metrics_file, self.classes_file, self.baseline_file):
            path.unlink(missing_ok=True)
        self.suggest_classes(names)
        self.write_info(replace(self.info, status=RELABELLED, finished=now()))

    def suggest_classes(self, names: Sequence[str]) -> None:
        """Write other names for the outputs, first output first."""
        with _atomically(self.suggested_classes_file) as temporary:
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
                hint=f"evaluate again with --classes {self.suggested_classes_file}, to another -o; "
                "or with --trust-labels",
            )
        if not self.metrics_file.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no metrics yet", hint=RESUME)

    def written(self) -> list[Path]:
        """Return the files and folders of the evaluation that exist."""
        return [self.path / name for name in _OWN if (self.path / name).exists()]

    def _require_plan(self) -> None:
        if not self.plan_file.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no plan", hint=RESUME)

    def _part_is_whole(self, shard: int, info: RunInfo) -> bool:
        """Tell whether a part can be read to its end and belongs to this run.

        Raises:
            StaleRun: It is a good part of another run.
        """
        try:
            with open_parquet(self.part_file(shard)) as file:
                found = file.metadata
        except (OSError, pa.ArrowInvalid):
            return False
        made_by = json.loads((found.metadata or {}).get(b"errlens", b"{}"))
        if made_by.get("run_hash") != info.run_hash:
            raise StaleRun(
                f"{str(self.part_file(shard))!r} was made with other settings than run.json says",
                hint=AFRESH,
            )
        return made_by["shard"] == shard and all(
            self.sidecar_file(kind, shard).exists() for kind in info.keep
        )

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
        for path in self.written():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _write_table(self, path: Path, table: pa.Table) -> None:
        with _atomically(path) as temporary:
            write_parquet(temporary, table)

    def _write_json(self, path: Path, tree: Mapping[str, Any]) -> None:
        text = json_text(tree, indent=2)
        with _atomically(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


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


def _read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    try:
        with open_parquet(path) as file:
            return file.read(columns=list(columns), use_threads=False).select(columns)
    except (OSError, pa.ArrowException) as error:  # its end is whole, or we would not be here
        raise IncompleteRun(
            f"{str(path)!r} is damaged: {' '.join(str(error).split())}",
            hint=f"remove it; {RESUME}",
        ) from error


@contextmanager
def _atomically(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; what is written there becomes `path` in the end."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # a rename must not outlive its contents in a power cut
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

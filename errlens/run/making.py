"""A run while it is made: it begins, or goes on where it stopped, and is written part by part."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.errors import ErrlensError, InputError, StaleRun, UnfitOption
from errlens.predictions.table import part_metadata
from errlens.run.disk import inside, written_to
from errlens.run.identity import RunInfo, now, plan_differences, setting_differences
from errlens.run.layout import EVALUATION
from errlens.run.locks import locked
from errlens.run.reading import ReadableRun


class RunInProgress(ReadableRun):
    """A run that grows; one process at a time changes its predictions."""

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
        if self.path.exists() and not self.path.is_dir():
            raise self._no_run()
        with self._alone():
            if not self.info_file.exists() and any(self.path.glob("[!.]*")):
                raise self._no_run()
            if overwrite:
                self._clear()
            if any(inside(self.predictions_folder, self.path).glob("part-*.parquet")):
                self._refuse_others(info, plan)
                plan = self.plan
                if info.expected_top1 is None:  # what was expected once still is
                    info = replace(info, expected_top1=self.info.expected_top1)
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
    def _alone(self) -> Iterator[None]:
        """Let one process at a time change the predictions."""
        with written_to(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.predictions_folder):
                yield

    def _no_run(self) -> UnfitOption:
        return UnfitOption(
            f"{str(self.path)!r} exists and is no run folder",
            hint="choose another -o, or empty it first",
        )

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
        with self._alone():
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

    def _refuse_others(self, info: RunInfo, plan: pa.Table) -> None:
        """Raise StaleRun where the parts that are here come from other data or settings."""
        before = self.info
        differences = plan_differences(self.plan, plan)
        message = f"the data are no longer those of {str(self.path)!r}"
        if not differences and before.run_hash != info.run_hash:
            differences = setting_differences(before.settings, info.settings)
            imported = before.imported and info.imported
            other = "of another table or with other options" if imported else "with other settings"
            message = f"{str(self.path)!r} was made {other}"
        if differences:
            raise StaleRun(
                f"{message}: {'; '.join(differences)}",
                hint="--overwrite starts afresh, -o writes elsewhere",
            )

    def _clear(self) -> None:
        for path in [self.path / name for name in EVALUATION]:
            if path.is_dir() and not path.is_symlink():
                try:
                    shutil.rmtree(path)
                except RecursionError as error:
                    raise InputError(
                        f"{str(path)!r} holds folders in folders without end"
                    ) from error
            else:
                path.unlink(missing_ok=True)

"""Reading a run folder: it may be damaged or somebody else's, so it is checked here, once."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.errors import (
    IncompleteRun,
    LabelSpaceMismatch,
    NoModel,
    NotARun,
    StaleRun,
)
from errlens.formats import counted
from errlens.predictions.table import SCHEMA, SCHEMA_VERSION, Predictions
from errlens.run.csv_tables import Columns, read_declared
from errlens.run.disk import inside
from errlens.run.identity import RunInfo, afresh, resume
from errlens.run.layout import RunLayout
from errlens.run.metrics_file import require_metrics
from errlens.run.places import which_run
from errlens.run.tables import (
    PLAN_SCHEMA,
    origin_of_part,
    read_extra,
    read_part,
    read_plan,
    read_sidecar,
    rows_of_shards,
)

RELABELLED: Final = "relabelled"  # the status of a run whose class names seem to be wrong


class ReadableRun(RunLayout):
    """What one evaluation wrote."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._known_info: tuple[tuple[int, ...], RunInfo] | None = None
        # Run and shard of whole parts; to read them of hundreds takes longer than their rows.
        self._known_parts: dict[tuple[object, ...], tuple[object, object]] = {}

    @property
    def info(self) -> RunInfo:
        """What `run.json` says; it is parsed again only where somebody has written it anew.

        Raises:
            NotARun: There is no readable `run.json`.
        """
        if not self.info_file.is_file():
            gone = "" if self.path.exists() else ": it does not exist"
            raise NotARun(
                f"{str(self.path)!r} is no run folder{gone}",
                hint=which_run(self.path),
            )
        written = _written(self.info_file)
        if self._known_info is None or self._known_info[0] != written:
            self._known_info = (written, self._read_info())
        return self._known_info[1]

    def require_model(self) -> RunInfo:
        """Return what `run.json` says of a run whose model can be loaded again.

        Raises:
            NoModel: The predictions were made elsewhere.
        """
        info = self.info
        if info.imported:
            raise NoModel(self.path, table=info.data)
        return info

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
            raise IncompleteRun(f"{str(self.path)!r} has no metrics yet", hint=resume(self.path))

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
            raise self._damaged(self.metrics_file, error) from error

    def read_classes(self, columns: Columns) -> pd.DataFrame:
        """Return the metrics of each class: `classes.csv`, with columns as declared by its makers.

        Raises:
            IncompleteRun: There is no such file.
            StaleRun: It was changed.
        """
        self.require_complete()
        path = inside(self.classes_file, self.path)
        if not path.exists():
            raise IncompleteRun(f"{str(self.path)!r} has no {path.name}", hint=resume(self.path))
        try:
            return read_declared(path, columns)
        except ValueError as error:  # what pandas' own errors are, too
            raise self._damaged(path, error) from error

    @property
    def plan(self) -> pa.Table:
        """The frozen list of inputs.

        Raises:
            IncompleteRun: It is missing or damaged.
        """
        return self._read_plan(PLAN_SCHEMA.names)

    def read_extra(self) -> pd.DataFrame:
        """Return the further columns of the manifest, one row a row of the plan; maybe none.

        Raises:
            IncompleteRun: They are damaged.
        """
        path = inside(self.extra_file, self.path)
        if not path.exists():
            return pd.DataFrame()
        return read_extra(path, n_rows=len(self._read_plan(["shard"])))

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
                hint=resume(self.path),
            )
        for shard, rows in enumerate(self._rows_of_shards()):
            yield read_part(self.part_file(shard), columns, info, rows)

    def read_rows(
        self, rows: Sequence[int], columns: Sequence[str] = tuple(SCHEMA.names)
    ) -> list[dict[str, Any]]:
        """Return some columns of some rows of the predictions, as plain values, in this order.

        Each part is read once, however many rows are wanted of it.

        Raises:
            IncompleteRun: A part is missing or damaged.
        """
        shards = self._rows_of_shards()
        starts = [of_shard.start for of_shard in shards]
        values: dict[int, dict[str, Any]] = {}
        for shard, wanted in groupby(sorted(rows), key=lambda row: bisect_right(starts, row) - 1):
            in_shard = list(wanted)
            path = inside(self.part_file(shard), self.path)
            table = read_part(path, columns, self.info, shards[shard]).table
            places = [row - starts[shard] for row in in_shard]
            values |= zip(in_shard, table.take(places).to_pylist(), strict=True)
        return [values[row] for row in rows]

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

    def read_photo_counts(self) -> Iterator[dict[str, Any]]:
        """Yield what each part of a complete run remembers of its photos; an older one nothing."""
        for shard, rows in enumerate(self._rows_of_shards()):
            made_by = origin_of_part(inside(self.part_file(shard), self.path), rows) or {}
            yield made_by.get("photos") or {}

    def _read_info(self) -> RunInfo:
        try:
            tree = self._read_json(self.info_file)
            if not isinstance(tree, dict) or "schema_version" not in tree:
                raise ValueError("it has no schema_version")
            if tree["schema_version"] == SCHEMA_VERSION:
                return RunInfo.from_dict(tree)
        except ValueError as error:
            what = f"{str(self.info_file)!r} is damaged: {error}"
            raise NotARun(what, hint=afresh(self.path)) from error
        what = f"{str(self.path)!r} was written by another version of errlens"
        raise NotARun(what, hint=afresh(self.path))

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
        origin = self._run_and_shard(path, rows)
        if origin is None:
            return False
        run_hash, own_shard = origin
        if run_hash != info.run_hash:
            what = f"{str(path)!r} was made with other settings than run.json says"
            raise StaleRun(what, hint=afresh(self.path))
        kept = [inside(self.sidecar_file(kind, shard), self.path) for kind in info.keep]
        return own_shard == shard and all(sidecar.is_file() for sidecar in kept)

    def _run_and_shard(self, path: Path, rows: range) -> tuple[object, object] | None:
        """Return what a part says that it is of, None where it is not there or not whole."""
        if not path.is_file():
            return None
        key = (path, rows, _written(path))
        if key not in self._known_parts:
            made_by = origin_of_part(path, rows)
            if made_by is None:
                return None
            self._known_parts[key] = (made_by.get("run_hash"), made_by.get("shard"))
        return self._known_parts[key]

    def _read_sidecar(self, kind: str, shard: int, rows: range, info: RunInfo) -> np.ndarray:
        path = inside(self.sidecar_file(kind, shard), self.path)
        part = read_part(self.part_file(shard), ["logits_row"], info, rows).table
        n_rows = len(part) - part["logits_row"].null_count
        width = len(info.classes) if kind == "logits" else None
        return read_sidecar(path, n_rows=n_rows, width=width)

    def _damaged(self, path: Path, problem: object) -> StaleRun:
        return StaleRun(f"{str(path)!r} is damaged: {problem}", hint=afresh(self.path))


def _written(path: Path) -> tuple[int, ...]:
    """Return what changes whenever a file is written anew."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size

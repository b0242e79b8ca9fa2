"""Work through the shards of a run that have no part yet."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import pyarrow as pa

from errlens.errors import Interrupted
from errlens.formats import of
from errlens.run.folder import RunFolder
from errlens.scale.plan import rows_of, run_locally


@dataclass(frozen=True, kw_only=True)
class ShardWorker(ABC):
    """Writes the part of a shard it is called with; `advance` is told of every row done."""

    run: RunFolder
    plan: pa.Table
    advance: Callable[[int], None] = lambda _rows: None

    @abstractmethod
    def __call__(self, shard: int) -> None:
        """Write the part of this shard."""


def finish(
    worker: ShardWorker,
    *,
    what: str,
    progress: Callable[..., AbstractContextManager[Callable[[int], None]]],
) -> None:
    """Write the parts that are missing.

    `progress(what, total=..., done=...)` gives a function that is told of each step forward.

    Raises:
        Interrupted: The user stopped it; finished parts stay.
    """
    run, plan = worker.run, worker.plan
    missing = run.unfinished()
    done = len(plan) - sum(len(rows_of(plan, shard)) for shard in missing)
    try:
        with progress(what, total=len(plan), done=done) as advance:
            run_locally(replace(worker, advance=advance), missing)
    except KeyboardInterrupt as error:
        run.interrupt()
        left = sum(len(rows_of(plan, shard)) for shard in run.unfinished())
        saved = len(plan) - left
        raise Interrupted(
            f"stopped: {of(saved, len(plan))} images are saved",
            hint="the same command goes on from there"
            if saved
            else "the same command begins again; with --part-size N it saves every N images",
        ) from error

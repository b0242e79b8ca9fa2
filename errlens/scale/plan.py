"""The plan: numbered rows, divided into shards that are predicted and written one by one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa

from errlens.data.samples import Samples
from errlens.run.tables import PLAN_SCHEMA


def make_plan(samples: Samples, *, part_size: int) -> pa.Table:
    """Freeze the samples into numbered rows and shards of `part_size` consecutive rows."""
    frame = samples.frame
    rows = np.arange(len(frame))
    columns = {
        "row": rows,
        "sample_id": unique_ids(frame["path"]),
        "path": frame["path"],
        "split": frame["split"],
        "label_name": frame["label_name"],
        "size_bytes": frame["size_bytes"],
        "shard": rows // part_size,
    }
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in PLAN_SCHEMA]
    return pa.table(arrays, schema=PLAN_SCHEMA)


def unique_ids(paths: Iterable[str]) -> list[str]:
    """Number the repetitions of a path, so that each row has an id of its own.

    >>> unique_ids(["a.png", "b.png", "a.png"])
    ['a.png', 'b.png', 'a.png#2']
    """
    paths = list(paths)
    taken = set(paths)
    times: Counter[str] = Counter()
    ids = []
    for path in paths:
        times[path] += 1
        name = path
        while times[path] > 1 and (name := f"{path}#{times[path]}") in taken:
            times[path] += 1
        taken.add(name)
        ids.append(name)
    return ids


def rows_of(plan: pa.Table, shard: int) -> range:
    """Return the rows of one shard; they are consecutive."""
    first, last = np.searchsorted(plan["shard"].to_numpy(), [shard, shard + 1])
    return range(int(first), int(last))


def run_locally(worker: Callable[[int], None], shards: Sequence[int]) -> None:
    """Work through the shards one after the other, in this process."""
    for shard in shards:
        worker(shard)

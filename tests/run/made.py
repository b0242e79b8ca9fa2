"""Runs made by hand: a plan, its settings, and parts that hold nothing but the plan."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from errlens.predictions.table import SCHEMA
from errlens.run.identity import RunInfo, RunSettings, plan_hash
from errlens.run.tables import PLAN_SCHEMA


def make_plan(rows, *, part_size=2):
    """Return a plan of rows (sample_id, label_name, size_bytes)."""
    names, labels, sizes = zip(*rows, strict=True)
    shards = [row // part_size for row in range(len(rows))]
    columns = [range(len(rows)), names, names, [None] * len(rows), labels, sizes, shards]
    arrays = [
        pa.array(column, kind.type) for column, kind in zip(columns, PLAN_SCHEMA, strict=True)
    ]
    return pa.table(arrays, schema=PLAN_SCHEMA)


ROWS = [(f"{index}.png", "a" if index % 2 else "b", 10 + index) for index in range(5)]
PLAN = make_plan(ROWS)


def make_info(plan=PLAN, *, keep=(), **changes):
    settings = RunSettings(
        model="m",
        arguments={},
        weights_sha256="00",
        preprocessing={"img_size": [8, 8], "crop_pct": 0.875},
        decoder={"name": "pillow"},
        engine={"name": "torch"},
        device="cpu",
        class_names=["a", "b"],
        superclasses=None,
        topk=2,
        plan_hash=plan_hash(plan),
    )
    settings = replace(settings, **changes)
    return RunInfo(settings, data="d", data_root="r", n_images=plan.num_rows, keep=keep)


def make_part(plan, shard):
    """Return rows of the predictions that hold what the plan holds, and else nulls."""
    rows = plan.filter(pc.equal(plan["shard"], shard)).combine_chunks()
    missing = pa.array(["missing"] * rows.num_rows).dictionary_encode()
    columns = [
        missing.cast(kind.type)
        if kind.name == "status"
        else rows[kind.name].combine_chunks().cast(kind.type)
        if kind.name in ("row", "sample_id", "path")
        else pa.nulls(rows.num_rows, kind.type)
        for kind in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def write_parts(folder, plan, info, shards=(0, 1, 2), **sidecars):
    for shard in shards:
        folder.write_part(shard, make_part(plan, shard), sidecars, info)


def files(path):
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())

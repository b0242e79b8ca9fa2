"""Hints about run folders: one that is none, is not whole, or is another one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hints.walking import IN_PHOTOS, IN_TABLES, Walk, moved_away

INFO = "run.reading.ReadableRun.info:hint"
NEWEST = "run.folder.newest_run:hint"


@IN_TABLES
@pytest.mark.parametrize("typed", ["rnu", "run/confusion", "run/run.json", "runs/old"])
def test_a_path_that_is_no_run_leads_to_the_run_that_is_meant(walk: Walk, typed):
    Path("run/confusion").mkdir()
    Path("runs").mkdir()
    shutil.copytree("old", "runs/oldest")
    said = walk.refused(["confusion", typed], INFO)
    walk.ends(["confusion", "--no-figures", said.near()[0]])


@IN_TABLES
def test_a_folder_of_runs_leads_to_those_in_it(walk: Walk):
    said = walk.refused("confusion .", INFO)
    assert len(said.near()) == 3
    walk.ends(["confusion", "--no-figures", said.near()[0]])


@IN_PHOTOS
def test_without_any_run_the_command_is_named_that_makes_one(walk: Walk):
    shutil.rmtree("seen")
    said = walk.refused("confusion mine", INFO)
    walk.ends(said.command(" makes one", DATA="photos", NAME="tiny:spatial"))
    walk.ends("confusion mine")
    said = walk.refused("confusion photos", INFO)
    walk.ends(said.command(" makes one", DATA="photos", NAME="tiny:spatial"))


@IN_TABLES
def test_where_no_run_was_named_those_of_this_folder_are(walk: Walk):
    walk.ends(["confusion", "--no-figures", walk.refused("confusion", NEWEST).near()[0]])


@IN_PHOTOS
def test_where_there_is_no_run_at_all_a_command_makes_one(walk: Walk):
    shutil.rmtree("seen")
    said = walk.refused("confusion", NEWEST)
    walk.ends(said.command(" makes one", DATA="photos", NAME="tiny:spatial"))
    walk.ends("confusion")


CONFUSION = "confusion seen --no-figures"
CHECK = "check seen --fail-under top1=0.1"


@IN_PHOTOS
@pytest.mark.parametrize(
    ("damage", "read_by", "at"),
    [
        (
            lambda run: (run / "run.json").write_text("{"),
            CHECK,
            "run.reading.ReadableRun._read_info:hint",
        ),
        (
            lambda run: _set(run / "run.json", schema_version=0),
            CHECK,
            "run.reading.ReadableRun._read_info:hint2",
        ),
        (lambda run: (run / "plan.parquet").unlink(), CONFUSION, "run.tables.read_plan:hint"),
        (
            lambda run: (run / "plan.parquet").write_bytes(b"PAR1"),
            CONFUSION,
            "run.tables._damaged_table:hint",
        ),
        (
            lambda run: (run / "metrics.json").unlink(),
            CHECK,
            "run.reading.ReadableRun.require_complete:hint2",
        ),
        (
            lambda run: (run / "metrics.json").write_text("{"),
            CHECK,
            "run.reading.ReadableRun._damaged:hint",
        ),
        (
            lambda run: _set(run / "metrics.json", run_hash="another"),
            CHECK,
            "analysis.gates.metrics._metrics:hint",
        ),
        (
            lambda run: (run / "classes.csv").unlink(),
            CONFUSION,
            "run.reading.ReadableRun.read_classes:hint",
        ),
        (
            lambda run: (run / "classes.csv").write_text("a,b\n1,2\n"),
            CONFUSION,
            "run.reading.ReadableRun._damaged:hint",
        ),
        (
            lambda run: _edited(run / "classes.csv", '"red"', '"redder"'),
            "check seen --fail-under recall:red=0.1",
            "analysis.gates.metrics._class_table:hint",
        ),
        (
            lambda run: _edited(run / "classes.csv", '"red"', '"redder"'),
            CONFUSION,
            "commands.confusion.command._check_sums:hint",
        ),
        (lambda run: _part(run).unlink(), CONFUSION, "run.reading.ReadableRun.read_parts:hint"),
        (
            lambda run: _retold(_part(run), run_hash="another"),
            CONFUSION,
            "run.reading.ReadableRun._part_is_whole:hint",
        ),
        (lambda run: _spoilt(_part(run)), CONFUSION, "run.tables._damaged:hint"),
    ],
)
def test_a_damaged_run_is_made_whole(walk: Walk, damage, read_by, at):
    damage(Path("seen"))
    said = walk.refused(read_by, at)
    if said.hint.startswith("remove it; "):
        moved_away(said.text.split("'")[1])
    end = " goes on" if "goes on" in said.hint else " makes it"
    walk.ends(said.command(end, DATA="photos", NAME="tiny:spatial"))
    walk.ends(read_by)


@IN_TABLES
def test_an_imported_run_is_made_whole_by_its_import(walk: Walk):
    walk.ends("import table.csv -o seen --classes classes.json --labels names")
    Path("seen/metrics.json").unlink()
    walk.ends(walk.refused(CHECK).command(" goes on"))
    Path("seen/plan.parquet").unlink()
    walk.ends(walk.refused(CONFUSION).command(" makes it anew"))
    walk.ends(CONFUSION)


@IN_PHOTOS
def test_a_moved_run_is_made_whole_where_it_lies_now(walk: Walk):
    Path("seen").rename("it's mine")
    Path("it's mine/metrics.json").unlink()
    said = walk.refused(["confusion", "it's mine", "--no-figures"])
    walk.ends(said.command(" goes on"))
    walk.ends(["confusion", "it's mine", "--no-figures"])


def _part(run: Path) -> Path:
    return run / "predictions/part-00000.parquet"


def _set(path: Path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _edited(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def _retold(path: Path, **values) -> None:
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"errlens"]) | values
    metadata = {**table.schema.metadata, b"errlens": json.dumps(told).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def _spoilt(path: Path) -> None:
    table = pq.read_table(path)
    column = table.schema.get_field_index("label")
    values = pa.array(np.full(len(table), 7), table.schema.field(column).type)
    pq.write_table(table.set_column(column, table.schema.field(column), values), path)

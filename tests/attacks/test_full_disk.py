"""Places where nothing can be written end with a sentence and exit code 3, whoever writes."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import errlens.run.csv_tables
import errlens.run.identity
from errlens.cli import app
from tests.attacks.runs import EVALUATE
from tests.conftest import NOBODY, call, ends, without_privilege

PROGRAM = Path(sys.executable).with_name("errlens")
PLACES = [
    "file", "file/below", "x" * 300, "y/" * 2500, "/dev/null", "/dev/null/x", "/proc/nothing/x",
    "/proc/self/x", "loop", "loop/x", "a\0b", "\udcff",
]  # fmt: skip
# Commands and the option that names where they write, or what they read.
WRITING = [
    ["evaluate", "photos/list.csv", "--model", "tiny:colours", "--img-size", "8", "-o"],
    ["import", "table.csv", "-o"],
    ["misclassified", "run", "--no-figures", "--copy"],
    ["compare", "old", "run", "--no-figures", "-o"],
    ["explain", "photos/red/0.png", "--model", "tiny:colours", "--img-size", "8", "-o"],
    ["run", "chain.yaml", "--set"],
]
READING = [
    ["evaluate", "--model", "tiny:colours"],
    ["import"],
    ["confusion"],
    ["confusion", "run", "--superclasses"],
    ["misclassified"],
    ["misclassified", "run", "--notes"],
    ["misclassified", "run", "--train"],
    ["explain"],
    ["explain", "--model", "tiny:colours"],
    ["compare", "run"],
    ["check", "--fail-under", "n=1"],
    ["what-if", "--drop", "red"],
    ["what-if", "run", "--relabel"],
    ["report"],
    ["run"],
    ["cache-key"],
]


@pytest.fixture
def around(run):
    """The folder around a run, with places where nothing can be."""
    folder = run.parent
    (folder / "table.csv").write_text("path,label,pred\na.png,cat,cat\nb.png,dog,cat\n")
    (folder / "file").write_text("mine")
    (folder / "loop").symlink_to("loop")
    return folder


def told(arguments):
    """Return how a command given as a list of words ends."""
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("command", WRITING, ids=lambda words: words[0])
def test_an_impossible_place_to_write_to(around, command):
    for place in PLACES:
        target = f"out={json.dumps(place)}" if command[0] == "run" else place
        said = told([*command, target])
        if said.exit_code != 0:  # a folder may well have a name that is not UTF-8
            assert said.exit_code in (2, 3), (place, said.output)
            assert "Traceback" not in said.output
        else:
            assert place == "\udcff"
    assert (around / "file").read_text() == "mine"


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_impossible_place_to_read_from(around, command):
    del around
    for place in PLACES:
        said = told([*command, place])
        assert said.exit_code in (2, 3), (place, said.output)
        assert "Traceback" not in said.output


def full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", [(pq, "write_table"), (np, "save"), (Path, "write_text")])
def test_a_disk_that_is_full_in_the_middle_keeps_what_was_written(run, monkeypatch, where):
    del run
    again = EVALUATE.replace("-o run", "--part-size 10 -o again")
    with monkeypatch.context() as patched:
        patched.setattr(*where, full)
        said = call(again)
        assert said.exit_code == 3, said.output
        assert "cannot be written: no space left on device" in said.stderr
        assert "hint: make room" in said.stderr
    ends(again)
    assert not list(Path("again").rglob("*.tmp"))


@pytest.mark.parametrize(
    "command",
    [
        "confusion run --no-figures",
        "misclassified run --no-figures",
        "compare old run --no-figures",
        "explain run --top 1 --method occlusion --mask 50% --overwrite",
    ],
)
def test_tables_on_a_full_disk_leave_those_of_before(run, monkeypatch, command):
    folder = run / command.split(maxsplit=1)[0]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(errlens.run.csv_tables.pyarrow.csv, "write_csv", full)
    said = call(command)
    assert said.exit_code == 3, said.output
    assert "cannot be written: no space left on device" in said.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("command", ["check run --fail-under n=1", "report run"])
def test_pages_on_a_full_disk_are_told(run, monkeypatch, command):
    del run
    monkeypatch.setattr(Path, "write_text", full)
    said = call(command)
    assert said.exit_code == 3, said.output
    assert "no space left on device" in said.stderr


def test_a_program_that_may_write_no_more_says_so(tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    lines = [f"images/{at:05}.png,cat,{'cat' if at % 3 else 'dog'}" for at in range(2_000)]
    (tmp_path / "table.csv").write_text("\n".join(["path,label,pred", *lines]))
    said = subprocess.run(
        [PROGRAM, "import", "table.csv", "-o", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limit,
    )  # fmt: skip
    assert said.returncode == 3, said.stderr
    assert "cannot be written: " in said.stderr
    assert "too large" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_run_of_somebody_else_is_read_only(run, public, monkeypatch):
    with without_privilege():
        if not os.access(errlens.__file__, os.R_OK, effective_ids=True):
            pytest.skip("errlens lies where other users cannot read it")
    shutil.copytree(run.parent, public / "all", symlinks=False)
    commands = [
        "confusion run --no-figures", "misclassified run --no-figures", "report run",
        "compare old run --no-figures", "check run --fail-under n=1",
        "explain run --top 1 --method occlusion --mask 50% --overwrite",
        f"{EVALUATE} --overwrite", "import table.csv -o new", "what-if run --drop red",
    ]  # fmt: skip
    (public / "all").chmod(0o755)
    (public / "all" / "table.csv").write_text("path,label,pred\na.png,cat,cat\nb.png,dog,cat\n")
    monkeypatch.chdir(public / "all")
    # The packages may lie where only root can read what version they are.
    monkeypatch.setattr(
        errlens.run.identity, "version", errlens.run.identity.versions().__getitem__
    )
    os.seteuid(NOBODY)
    try:
        for command in commands:
            said = call(command)
            expected = 0 if command.startswith("what-if") else 3
            assert said.exit_code == expected, (command, said.output)
            assert expected == 0 or "cannot be written: permission denied" in said.stderr
        os.seteuid(0)
        (public / "all" / "run" / "metrics.json").chmod(0)
        (public / "all" / "run" / "predictions").chmod(0)
        os.seteuid(NOBODY)
        for command in (*commands[:5], "what-if run --drop red"):
            said = call(command)
            assert said.exit_code == 3, (command, said.output)
    finally:
        os.seteuid(0)

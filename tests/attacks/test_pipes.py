"""A reader that goes away, as in `errlens check RUN ... | true`, is no failed gate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("errlens")
TABLE = "path,label,pred\n" + "".join(
    f"{at}.png,{'cat' if at % 2 else 'dog'},{'cat' if at % 3 else 'dog'}\n" for at in range(12)
)
COMMANDS = [
    "--help",
    "import table.csv -o again",
    "confusion run --no-figures",
    "misclassified run --no-figures --json",
    "compare old run --no-figures",
    "check run --fail-under top1=0.1",
    "what-if run --relabel mended.csv",
    "report run",
    "run config.yaml -q",
    "cache-key config.yaml",
]


def nobody():
    """Return a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.fixture(scope="module")
def folder(tmp_path_factory, warm):
    folder = tmp_path_factory.mktemp("pipes")
    (folder / "table.csv").write_text(TABLE)
    (folder / "mended.csv").write_text("row,label\n0,cat\n")
    (folder / "config.yaml").write_text(
        "out: made\nimport: {table: table.csv}\nconfusion: {no_figures: true}\n"
    )
    for name in ("run", "old"):
        assert warm.run(f"import table.csv -o {name} -q", folder).returncode == 0
    return folder


@pytest.fixture
def end_of(warm, folder):
    """Return how a command ends, and what the readers that are left read."""

    def ended(arguments, *, gone=("stdout", "stderr")):
        pipe = nobody()
        try:
            said = warm.run(arguments, folder, **dict.fromkeys(gone, pipe))
            return said.returncode, said.stdout + said.stderr
        finally:
            os.close(pipe)

    return ended


@pytest.mark.parametrize("arguments", COMMANDS)
def test_every_command_does_its_work_where_nobody_listens(arguments, end_of):
    assert end_of(arguments) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("check run --fail-under top1=1", 1),
        ("check run --fail-under top2=1", 2),
        ("evaluate --modle x", 2),
        ("confusion nowhere", 3),
    ],
)
def test_the_exit_code_is_that_of_the_work(arguments, code, end_of):
    assert end_of(arguments) == (code, "")


@pytest.mark.parametrize("gone", ["stdout", "stderr"])
def test_one_reader_may_go_and_the_other_stay(gone, end_of):
    code, said = end_of("check run --fail-under top1=1", gone=[gone])
    assert code == 1
    assert ("error: 1 of 1 gate failed" in said) == (gone == "stdout")
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_the_installed_program_does_so_from_its_start(folder):
    pipe = nobody()
    try:
        words = [PROGRAM, "check", "run", "--fail-under", "top1=1"]
        said = subprocess.run(words, cwd=folder, stdout=pipe, stderr=pipe, check=False)
        assert said.returncode == 1
    finally:
        os.close(pipe)


def test_the_work_goes_on_to_its_end(folder, end_of):
    (folder / "run" / "gates.json").unlink(missing_ok=True)
    assert end_of("check run --fail-under top1=0.1")[0] == 0
    assert json.loads((folder / "run" / "gates.json").read_text())["passed"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed_before_the_program_begins(closed, folder):
    command = f"{PROGRAM} check run --fail-under top1=0.1 --json {closed}"
    said = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False)
    assert (said.returncode, said.stderr) == (0, b"")
    assert json.loads((folder / "run" / "gates.json").read_text())["passed"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_results_that_go_to_a_full_disk_are_no_success(folder):
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [PROGRAM, "check", "run", "--fail-under", "top1=0.1", "--json"],
            cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        assert said.returncode == 3
        assert said.stderr.startswith("error: '<stdout>' cannot be read or written: no space left")
        assert "Traceback" not in said.stderr
        remarks = subprocess.run(
            [PROGRAM, "confusion", "nowhere"], cwd=folder, stderr=full, check=False
        )
        assert remarks.returncode == 3

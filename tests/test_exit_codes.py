"""The exit codes that pipelines rely on, of the installed program and every command."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("errlens")
TABLE = "path,label,pred\n" + "".join(
    f"{at}.png,{'cat' if at % 2 else 'dog'},{'cat' if at % 3 else 'dog'}\n" for at in range(12)
)
CONFIG = "out: made\nimport: {table: table.csv}\ncheck: {fail_under: [top1=1]}\nreport: {}\n"

# What makes each command fail so, in a folder with a run and a table.
CODES = [
    (0, "import table.csv -o again"),
    (0, "confusion run --no-figures"),
    (0, "misclassified run --no-figures"),
    (0, "compare run old --no-figures"),
    (0, "what-if run --relabel mended.csv"),
    (0, "check run --fail-under top1=0.1"),
    (0, "check run --fail-under top1=1 --exit-zero"),
    (0, "report run"),
    (0, "cache-key config.yaml"),
    (1, "check run --fail-under top1=1"),
    (1, "run config.yaml"),
    (2, "evaluate"),
    (2, "import table.csv --format tea"),
    (2, "confusion run --normalize twice"),
    (2, "misclassified run --select wolf~cat"),
    (2, "explain run --method gradcam"),
    (2, "compare run"),
    (2, "what-if run"),
    (2, "check run"),
    (2, "check run --fail-under top2=1"),
    (2, "report run --select wolf~cat"),
    (2, "network probe table.csv"),
    (2, "run typo.yaml"),
    (2, "cache-key typo.yaml"),
    (2, "evaluated"),
    (3, "import nowhere.csv -o again"),
    (3, "confusion nowhere"),
    (3, "misclassified nowhere"),
    (3, "explain nowhere"),
    (3, "explain run"),
    (3, "compare run nowhere"),
    (3, "what-if nowhere --drop cat"),
    (3, "check nowhere --fail-under top1=1"),
    (3, "report nowhere"),
    (3, "run nowhere.yaml"),
    (3, "cache-key nowhere.yaml"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, warm):
    folder = tmp_path_factory.mktemp("exit-codes")
    (folder / "table.csv").write_text(TABLE)
    (folder / "mended.csv").write_text("row,label\n0,cat\n")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "typo.yaml").write_text(CONFIG.replace("check", "chekc"))
    for name in ("run", "old"):
        assert warm.run(f"import table.csv -o {name}", folder).returncode == 0
    return folder


@pytest.mark.parametrize(("code", "arguments"), CODES, ids=str)
def test_every_command_ends_as_pipelines_expect(code, arguments, folder, warm):
    require_end(warm.run(arguments, folder), code)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, "import table.csv -o installed"),
        (1, "check run --fail-under top1=1"),
        (2, "check run --fail-under top2=1"),
        (3, "confusion nowhere"),
    ],
)
def test_the_installed_program_ends_so(code, arguments, folder):
    said = subprocess.run(
        [PROGRAM, *arguments.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    require_end(said, code)


def require_end(said, code):
    assert said.returncode == code, said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    assert said.stderr.startswith(("error: ", "Usage: ")) == (code != 0) or code == 1

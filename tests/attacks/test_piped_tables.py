"""A table that the user names and that is a pipe or a device is refused, and never waited for."""

import os
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import make_run, refused

COMMANDS = {
    "check run --baseline": "",
    "misclassified run --no-figures --notes": ".yaml .csv",
    "what-if run --relabel": ".csv .parquet",
    "what-if run --only": ".txt .csv",
    "confusion run --no-figures --superclasses": ".csv",
    "import table.csv -o new --classes": ".txt",
    "import -o new": ".csv .parquet",
    "evaluate --model resnet18 -o new": " .csv .parquet",
    "run": ".yaml",
}
TABLE = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "label": ["x", "y"], "pred": ["x", "x"]})
CASES = [
    (command, suffix) for command, suffixes in COMMANDS.items() for suffix in suffixes.split(" ")
]


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(("command", "suffix"), CASES)
def test_a_pipe_or_a_device_in_place_of_a_table_is_refused_in_a_sentence(
    command, suffix, kind, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    make_run(TABLE, "run", classes=("x", "y"))
    named = f"given{suffix}"
    if kind == "pipe":
        os.mkfifo(named)
    else:
        Path(named).symlink_to("/dev/null")
    said = refused([*command.split(), named], exit_code=3)
    assert f"'{named}' is a pipe or a device, not a file\n" in said
    assert "hint: write what it gives into a file first" in said

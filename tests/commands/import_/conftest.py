"""Tables that are imported in an empty folder."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app

OF_MODEL = ("pred", "confidence", "label_prob", "margin", "loss", "entropy", "brier", "label_rank")
ONLY_PRED = "path,label,pred\na.jpg,cat,cat\nb.jpg,dog,cat\nc.jpg,dog,dog\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run_import(arguments: str, command: str = "import"):
    return CliRunner().invoke(app, [command, *shlex.split(arguments)])


def imported(text: str, options: str = "", *, name: str = "table.csv") -> pd.DataFrame:
    """Import a table and return the predictions."""
    Path(name).write_text(text)
    result = run_import(f"{name} -o run {options}")
    assert result.exit_code == 0, result.output
    return errlens.open_run("run").predictions.frame


def refused(text: str, options: str = "") -> str:
    """Import a table that cannot be imported, and return what is said."""
    Path("table.csv").write_text(text)
    result = run_import(f"table.csv -o run {options}")
    assert result.exit_code == 3, result.output
    assert not Path("run").exists()
    return result.stderr


def random_table(n: int = 200, k: int = 7, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with a column of probability for each class, and the labels as indices."""
    random = np.random.default_rng(seed)
    label = random.integers(0, k, n)
    raw = random.normal(size=(n, k)) + 2 * np.eye(k)[label]
    prob = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    table = pd.DataFrame(prob, columns=[f"prob_c{index}" for index in range(k)])
    table.insert(0, "path", [f"photos/{row}.jpg" for row in range(n)])
    table.insert(1, "label", [f"c{index}" for index in label])
    return table, label

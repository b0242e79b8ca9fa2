"""The command line with a tiny model, and one that tells shades of grey apart."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

import errlens
from errlens.cli import app

collect_ignore = ["networks.py"]  # imports the tiny model, which lies beside a copy of it
FAST = "--img-size 8 --crop-pct 1.0"


@pytest.fixture
def run_errlens(tiny):
    """Run the command line in a folder that holds the tiny model."""

    def invoke(arguments: str):
        command = ["evaluate", *shlex.split(arguments), "--model", tiny, *shlex.split(FAST)]
        return CliRunner().invoke(app, command)

    return invoke


SHADES = """
import torch


class Shades(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("centres", torch.tensor([0.8, 0.2, 0.5]))

    def forward(self, images):
        return -50 * (images.mean(dim=(1, 2, 3))[:, None] - self.centres).square()
"""


@pytest.fixture
def shades(tmp_path, monkeypatch):
    """Photos of three shades of grey, and a model in the current folder that tells them apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shades", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shades.py").write_text(SHADES)
    for name, grey in (("dark", 51), ("middle", 128), ("bright", 204)):
        for number in range(30):
            path = tmp_path / "greys" / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (grey + number % 5,) * 3).save(path)
    return tmp_path / "greys"


def evaluate_shades(shades, options):
    arguments = f"evaluate {shades} --model shades:Shades --img-size 8 {options}"
    return CliRunner().invoke(app, shlex.split(arguments))


def rows(run: str) -> list[dict]:
    return errlens.open_run(run).predictions.table.to_pylist()


@pytest.fixture
def cli(tiny, tmp_path, monkeypatch):
    """Run a command line in a folder that holds the networks."""
    del tiny
    shutil.copy(Path(__file__).with_name("networks.py"), tmp_path / "nets.py")
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    return lambda command: CliRunner().invoke(app, shlex.split(command))


def frame(run):
    return errlens.open_run(run).predictions.frame

"""A folder with an untrained network, photos and a run of it: made once, copied for every test."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image

from tests.conftest import ends, paint_colours


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it was made."""
    folder = tmp_path_factory.mktemp("activations")
    paint_colours(folder / "photos")
    with Image.open(folder / "photos/red/0.png") as image:
        image.resize((90, 60)).save(folder / "large.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.manual_seed(0)
        module = timm.create_model("test_resnet", num_classes=3, zero_init_last=False)
        safetensors.torch.save_model(module, "weights.safetensors")
        options = "--model test_resnet --checkpoint weights.safetensors --img-size 64 -o run -q"
        ends(f"evaluate photos {options}")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a copy of everything."""
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    run = folder / "run/run.json"
    run.write_text(run.read_text("utf-8").replace(str(made), str(folder)), "utf-8")
    monkeypatch.chdir(folder)
    return folder


def saved_maps(folder):
    """Return the arrays of `maps.npz` by name."""
    with np.load(folder / "maps.npz") as arrays:
        return dict(arrays)

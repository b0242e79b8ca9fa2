"""The run that is explained: made once, and copied for every test."""

import shutil
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

import errlens
from errlens.run.folder import RunFolder
from tests.conftest import ends, paint_colours


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights of an untrained network of timm's, and its run."""
    folder = tmp_path_factory.mktemp("untrained")
    paint_colours(folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.manual_seed(0)
        module = timm.create_model("test_resnet", pretrained=False, num_classes=3)
        safetensors.torch.save_model(module, "weights.safetensors")
        options = "--model test_resnet --checkpoint weights.safetensors --img-size 64 -o run -q"
        ends(f"evaluate photos {options}")
    return folder


@pytest.fixture(autouse=True)
def run(untrained: Path, photos: Path, tiny: str) -> RunFolder:
    """A run of an untrained network, as if it had been made here: nearly all of it is wrong."""
    del tiny  # for its folder
    shutil.copy(untrained / "weights.safetensors", "weights.safetensors")
    shutil.copytree(untrained / "run", "run")
    made = Path("run/run.json").read_text(encoding="utf-8")
    Path("run/run.json").write_text(made.replace(str(untrained), str(photos.parent)), "utf-8")
    return errlens.open_run("run")

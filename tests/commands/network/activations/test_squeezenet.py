"""MATLAB's example of activations, step by step, on its network with random weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from tests.commands.network.activations.conftest import saved_maps
from tests.conftest import ends

FIRST, DEEP = "features.0", "features.10.expand3x3"
STEPS = {
    "all channels of the first layer in 8 x 8 tiles": f"a.png --layer {FIRST} --grid 8x8",
    "channel 22 and the strongest beside the image": (
        f"a.png --layer {FIRST} --channel 21 --strongest 1"
    ),
    "which colour and edge it responds to": f"a.png --layer {FIRST} --signed",
    "a deeper layer, and channels 14 and 47 of it": f"a.png --layer {DEEP} --channel 14,47",
    "before and after the ReLU": f"a.png --layer {DEEP} --activation both",
    "two images side by side, and a box on each": (
        f"a.png b.png --layer {DEEP} --channel 14,47 --box eye=20,10,20,20 --box eye=30,10,20,20"
    ),
    "a larger image": f"a.png --layer {FIRST} --input-size 96",
}


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its weights and two photos."""
    folder = tmp_path_factory.mktemp("squeezenet")
    torch.manual_seed(0)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), folder / "weights.pth")
    for seed, name in enumerate(("a.png", "b.png")):
        pixels = np.random.default_rng(seed).integers(0, 255, (60, 90, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.mark.parametrize("step", STEPS)
def test_each_step_has_its_pictures(squeezenet, monkeypatch, tmp_path, step):
    monkeypatch.chdir(squeezenet)
    model = "--model torchvision:squeezenet1_1 --checkpoint weights.pth --img-size 64"
    said = ends(f"network activations {STEPS[step]} {model} -o {tmp_path} --json")
    found = json.loads(said.stdout)
    folder = Path(found["folder"])
    assert {"grid.png", "channels.png", "parameters.json"} <= set(found["files"])
    for name in ("grid.png", "channels.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 200
    maps = saved_maps(folder)
    assert all(np.isfinite(maps[name]).all() for name in maps)
    if "both" in STEPS[step]:
        before, after = maps["image1_before"], maps["image1_after"]
        np.testing.assert_array_equal(before.clip(min=0), after)
        assert found["activation"] == "relu"

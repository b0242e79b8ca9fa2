"""The steps of published analyses that the guide lists: each command makes what the guide says."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image

import errlens.commands.network
from tests.conftest import ends, paint_colours
from tests.guides import require_pictures, steps_of

GUIDE = Path(errlens.commands.network.__file__).parent / "README.md"
STEPS = steps_of(GUIDE)
LINK = re.compile(r"\[.+\]\((.+)\)")
MADE = {
    "layers": ["layers.csv", "layers.json"],
    "activations": [f"activations/*/{name}" for name in ("grid.png", "channels.png", "maps.npz")],
    "features": ["features/sheets/*.png", "features/features.csv"],
    "evolution": [f"evolution/{name}" for name in ("sheets/*.png", "settled.png", "training.png")],
    "embed": ["embed/map.png", "embed/photos.png", "embed/neighbours.csv"],
    "filters": ["filters/first_layer.png", "filters/spectra.png"],
    "probe": ["probe/layers.png", "probe/layers.csv", "probe/curves.png"],
    "invariance": ["invariance/invariance.png", "invariance/invariance.csv"],
    "correspondence": [f"correspondence/{name}" for name in ("correspondence.png", "hidden.png")],
    "compare": ["compare/runs.csv", "compare/fixed.csv", "compare/broken.csv"],
    "explain": ["explain/*/*_occlusion.png", "explain/*/*_winners.png"],
    "severity": ["severity/severity.png", "severity/severity.csv"],
    "occlusion": [f"occlusion/{name}" for name in ("*.png", "*.npz", "occlusion.csv")],
}


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    """A folder with runs of the network of the example, with random weights, and two photos."""
    folder = tmp_path_factory.mktemp("squeezenet")
    (folder / "epochs").mkdir()
    for seed, name in enumerate(("squeezenet", "before", "epochs/epoch1", "epochs/epoch10")):
        torch.manual_seed(seed)
        weights = torchvision.models.squeezenet1_1(num_classes=3).state_dict()
        torch.save(weights, folder / f"{name}.pth")
    for seed, name in enumerate(("open.jpg", "closed.jpg")):
        pixels = np.random.default_rng(seed).integers(0, 255, (60, 90, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    paint_colours(folder / "photos")
    heads = [f"{colour}/{n}.png,head,1,1,4,4" for colour in ("red", "green") for n in range(4)]
    (folder / "parts.csv").write_text("\n".join(["path,part,x,y,width,height", *heads]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("squeezenet", "before"):
            model = f"--model torchvision:squeezenet1_1 --checkpoint {name}.pth --img-size 64"
            ends(f"evaluate photos {model} -o runs/{name} -q")
        torch.save(timm.create_model("test_resnet", num_classes=3).state_dict(), "resnet.pth")
        resnet = "--model test_resnet --checkpoint resnet.pth --img-size 32"
        ends(f"evaluate photos {resnet} -o runs/resnet -q")
    return folder


def test_the_guide_lists_the_steps_of_both():
    assert len(STEPS) == 25
    words = [step.command.removeprefix("network ").split() for step in STEPS]
    assert {command for command, *_ in words} == {*MADE} - {"severity"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.question)
def test_each_step_makes_its_figure(squeezenet, monkeypatch, step):
    monkeypatch.chdir(squeezenet)
    ends(step.command)
    words = shlex.split(step.command)
    kind, run = words[1:3] if words[0] == "network" else (words[0], "runs/squeezenet")
    folder = Path(run, "network") if words[0] == "network" else Path(run)
    patterns = MADE["severity" if "--severity" in words else kind]
    made = [path for pattern in patterns for path in folder.glob(pattern)]
    assert len(made) >= len(patterns)
    require_pictures(made)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.question)
def test_each_step_has_a_figure_in_the_guide(step):
    page, _, anchor = LINK.fullmatch(step.shown)[1].partition("#")
    if not anchor:
        shown = ("good for\nfeatures ", "top-1", "](../../../.github/images/explain.jpg)")
        assert any(text in (GUIDE.parent / page).read_text("utf-8") for text in shown)
        return
    headings = re.split(r"^### ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    sections = {part.partition("\n")[0].lower().replace(" ", "-"): part for part in headings}
    pictures = re.findall(r"!\[.+\]\((.+)\)", sections[anchor])
    assert pictures
    assert all((GUIDE.parent / picture).is_file() for picture in pictures)


def test_after_the_relu_is_what_the_relu_leaves_of_before(squeezenet, monkeypatch, tmp_path):
    monkeypatch.chdir(squeezenet)
    asked = "runs/squeezenet open.jpg --layer features.9.squeeze --activation both"
    ends(f"network activations {asked} -o {tmp_path}")
    (maps,) = tmp_path.glob("activations/*/maps.npz")
    with np.load(maps) as arrays:
        np.testing.assert_array_equal(arrays["image1_before"].clip(min=0), arrays["image1_after"])

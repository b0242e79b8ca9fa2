"""No door of errlens reaches for the network where the checkpoint lies on the disk."""

import json

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from typer.testing import CliRunner

from errlens.cli import app
from tests.attacks.limits import forbid_sockets


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    forbid_sockets(monkeypatch)


def run(*arguments):
    said = CliRunner().invoke(app, list(map(str, arguments)))
    assert said.exit_code == 0, said.output
    return said.stdout


def make_checkpoint(kind, folder):
    """Write a checkpoint of a kind; return it, and the name of its architecture."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=3)
    # What timm itself writes for a network it has trained, and where that one came from.
    cfg = network.pretrained_cfg | {
        "url": "http://192.0.2.1/w.pth", "hf_hub_id": "someone/something", "source": "url",
    }  # fmt: skip
    config = {"architecture": "test_resnet", "num_classes": 3, "pretrained_cfg": cfg}
    state = network.state_dict()
    if kind == "folder":
        timm.models.save_for_hf(network, folder / "hub")
        written = json.loads((folder / "hub" / "config.json").read_text())
        written["pretrained_cfg"] |= cfg
        (folder / "hub" / "config.json").write_text(json.dumps(written))
        return folder / "hub", "test_resnet"
    if kind == "metadata":
        save_file(state, folder / "w.safetensors", {"config": json.dumps(config)})
        return folder / "w.safetensors", "test_resnet"
    if kind == "torchvision":
        state = torchvision.models.resnet18(num_classes=3).state_dict()
        config = {"arch": "resnet18", "val_crop_size": 32, "val_resize_size": 32}
    tree = state if kind == "weights" else {"state_dict": state, "args": config}
    torch.save(tree, folder / "w.pth")
    return folder / "w.pth", "torchvision:resnet18" if kind == "torchvision" else "test_resnet"


@pytest.mark.usefixtures("tiny")  # for its folder
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("folder", False),
        ("folder", True),
        ("metadata", False),
        ("training", False),
        ("training", True),
        ("weights", True),
        ("torchvision", False),
    ],
)
def test_a_local_checkpoint_is_all_that_is_read(kind, named, photos, tmp_path):
    checkpoint, name = make_checkpoint(kind, tmp_path)
    model = ["--checkpoint", checkpoint, *(["--model", name] if named else [])]
    sized = [*model, "--img-size", 32]
    run("evaluate", photos, *sized, "-o", "run", "-q")
    run("explain", "run", "--top", 1, "-q")
    run("explain", "run", "--list", "-q")
    run("explain", photos / "red" / "0.png", *sized, "-o", "one", "-q")
    run("network", "probe", photos, *sized, "--save-head", "head.safetensors", "-q")
    run("evaluate", photos, "--checkpoint", "head.safetensors", "-o", "again", "-q")
    block = {"data": str(photos), "checkpoint": str(checkpoint), "img_size": 32}
    block |= {"model": name} if named else {}
    (tmp_path / "c.yaml").write_text(json.dumps({"out": "run", "evaluate": block}))
    hashed = json.loads((tmp_path / "run" / "run.json").read_text())["run_hash"]
    assert run("cache-key", "c.yaml", "-q").strip() == hashed


@pytest.mark.usefixtures("tiny")
def test_a_folder_named_as_a_model_is_a_local_checkpoint(photos, tmp_path):
    folder, _ = make_checkpoint("folder", tmp_path)
    run("evaluate", photos, "--model", f"local-dir:{folder}", "--img-size", 32, "-o", "run", "-q")
    run("explain", "run", "--top", 1, "-q")
    run("explain", "run", "--list", "-q")

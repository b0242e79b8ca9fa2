"""Checkpoints without a head, or with one of another name, as `errlens evaluate` takes them."""

import shlex
from pathlib import Path

import pytest
import timm
import torch

import errlens
from errlens.model.reload import reload_classifier
from tests.conftest import ends, paint, refused


@pytest.fixture
def body(tmp_path, monkeypatch):
    """The weights of a network without its head, in the current folder."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    torch.save({key: state[key] for key in state if not key.startswith("fc.")}, "body.pth")
    return state


def command_in(said):
    """The command that a failure ends with."""
    return shlex.split(said.splitlines()[-1])[1:]


@pytest.mark.parametrize("name", ["--model test_resnet", ""])
@pytest.mark.parametrize("more", ["", "--model-kwargs num_classes=0", "--img-size 64"])
def test_a_network_without_a_head_is_given_one_by_the_commands_that_are_named(
    name, more, body, photos
):
    del body, photos  # both are in the current folder
    said = refused(f"evaluate photos --checkpoint body.pth {name} {more} -o run -q", exit_code=3)
    assert said.count("hint: ") == 1
    probe = command_in(said)
    assert probe[:3] == ["network", "probe", "TRAIN"]
    probe = ["network", "probe", "photos", *probe[3:]]
    assert ("--img-size" in probe) == ("--img-size" in more)
    shown = ends(probe).stdout
    evaluate = shlex.split(shown.rpartition("Next: errlens ")[2].replace("DATA", "photos"))
    ends([*evaluate, "-o", "run", "-q"])
    assert errlens.open_run("run").metrics["n"] == 12


def test_the_head_is_fitted_to_the_training_images_beside_those_to_judge_it_by(body):
    del body
    for split in ("train", "val"):
        for colour in ("red", "green"):
            paint(Path(f"data/{split}/{colour}/1.png"), colour)
    said = refused("evaluate data/val --checkpoint body.pth -o run", exit_code=3)
    assert command_in(said)[2] == "data/train"


def test_photos_without_labels_fit_no_head(body, photos):
    del body
    said = refused("evaluate photos/red --checkpoint body.pth -o run", exit_code=3)
    assert "fits a classifier to labelled images" in said
    assert photos.name not in said.splitlines()[-1]


def test_a_run_remembers_what_its_checkpoint_calls_the_head(body, photos):
    assert photos.is_dir()
    named = {key.replace("fc.", "fc.1."): value for key, value in body.items()}
    torch.save(named, "named.pth")
    said = refused("evaluate photos --checkpoint named.pth -o run -q", exit_code=3)
    assert "add --model test_resnet --head fc.1" in said or "add --head fc.1" in said
    ends("evaluate photos --checkpoint named.pth --head fc.1 -o run -q")
    info = errlens.open_run("run").info
    assert info.head == "fc.1"
    module = reload_classifier(info).network.module
    assert torch.equal(module.fc.weight, body["fc.weight"])


@pytest.mark.parametrize("more", ["", "--classes names.txt"])
def test_a_model_of_other_classes_is_given_a_head_by_the_command_that_is_named(more, body, photos):
    assert photos.is_dir()
    torch.save({**body, "fc.weight": torch.ones(5, 96), "fc.bias": torch.ones(5)}, "five.pth")
    Path("names.txt").write_text("a\nb\nc\nd\ne\n")
    said = refused(f"evaluate photos --checkpoint five.pth -o run -q {more}", exit_code=3)
    ends([word.replace("TRAIN", "photos") for word in command_in(said)])
    ends("evaluate photos --checkpoint five-probe.safetensors -o run -q")

"""Hints about weights that do not fit a network: what they fit, or what is fitted to them."""

import shlex
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn

from tests.hints.test_weights import run_lines
from tests.hints.walking import IN_PHOTOS, Said, Walk

pytestmark = IN_PHOTOS
ANY_SIZE = "evaluate photos -o new -q --trust-labels --limit 3"
TYPED = f"{ANY_SIZE} --img-size 32"
REMEDIES = "model.networks.remedies"
SUBSTITUTES = "model.weights.substitutes.refuse_substitutes"
FITTING = "model.weights.fitting"

State = dict[str, Tensor]


def state(name: str = "test_resnet", **arguments: object) -> State:
    torch.manual_seed(1)
    return timm.create_model(name, **{"num_classes": 3, **arguments}).state_dict()


def save(weights: object, path: str = "weights.pth") -> str:
    """Save weights, and return the option that names them."""
    torch.save(weights, path)
    return f"--checkpoint {path}"


def options_of(said: Said) -> list[str]:
    """Return the options that a hint adds, as a shell reads them."""
    words = said.hint.partition("add ")[2] or said.hint.partition(": ")[2]
    return shlex.split(words.partition(";")[0].partition(" and ")[0].partition(", or")[0])


def renamed(old: str, new: str) -> State:
    return {key.replace(old, new): value for key, value in state().items()}


def without_head() -> State:
    return {key: value for key, value in state().items() if not key.startswith("fc.")}


# Where a hint is written, the weights, and the model that is named, if any.
ADDED = [
    (f"{REMEDIES}._sentence:hint3", lambda: state("test_vit", img_size=96), "--model test_vit"),
    (
        f"{REMEDIES}._sentence:hint3",
        lambda: state("test_resnet", in_chans=1),
        "--model test_resnet",
    ),
    (f"{REMEDIES}.choose_architecture:hint", lambda: state("tf_efficientnet_b0"), ""),
    (f"{REMEDIES}._without_head:hint", lambda: renamed("fc.", "fc.1."), "--model test_resnet"),
    (
        f"{REMEDIES}.raise_better:hint",
        lambda: state("test_vit", img_size=96),
        "--model test_resnet",
    ),
]


@pytest.mark.parametrize(("at", "weights", "model"), ADDED, ids=[str(n) for n in range(len(ADDED))])
def test_options_that_a_hint_adds_make_the_weights_fit(walk: Walk, at: str, weights, model: str):
    typed = f"{ANY_SIZE} {model} {save(weights())}"
    said = walk.refused(typed, at)
    walk.ends([*shlex.split(typed), *options_of(said)])


def test_images_of_other_channels_take_a_transform(walk: Walk):
    checkpoint = save(state(in_chans=4))
    typed = f"{ANY_SIZE} --model test_resnet {checkpoint}"
    said = walk.refused(typed, f"{REMEDIES}._sentence:hint2")
    Path("four.py").write_text(
        "import torch\n\n\ndef channels(_photo):\n    return torch.rand(4, 32, 32) * 0\n"
    )
    assert "--transform MODULE:FUNCTION" in said.hint
    words = [*shlex.split(typed), *options_of(said), "--transform", "four:channels"]
    walk.ends(words)


def test_what_does_not_belong_to_a_network_is_left_out(walk: Walk):
    checkpoint = save({**state(), "criterion.weight": torch.ones(3)})
    said = walk.refused(f"{TYPED} --model test_resnet {checkpoint}", f"{REMEDIES}._sentence:hint4")
    walk.ends(f"{TYPED} --model test_resnet --checkpoint {run_lines(said)}")


def test_one_of_several_networks_is_saved_alone(walk: Walk):
    several = {f"q.{key}": value for key, value in state().items()}
    several |= {f"k.{key}": value + 1 for key, value in state().items()}
    checkpoint = save(several)
    said = walk.refused(f"{TYPED} --model test_resnet {checkpoint}", f"{FITTING}.find_prefix:hint")
    walk.ends(f"{TYPED} --model test_resnet --checkpoint {run_lines(said)}")


def test_a_head_that_is_not_there_leads_to_one_that_is(walk: Walk):
    checkpoint = save(renamed("fc.", "fc.1."))
    typed = f"{TYPED} --model test_resnet {checkpoint} --head"
    said = walk.refused(f"{typed} head", "model.networks.building.head_renamed:hint")
    assert "'fc.1'" in said.hint
    walk.ends(f"{typed} fc.1")


def test_a_head_of_the_usual_name_is_not_to_be_said(walk: Walk):
    typed = f"{TYPED} --model test_resnet {save(state())}"
    said = walk.refused(f"{typed} --head conv1.0", f"{REMEDIES}._sentence:hint")
    assert "leave --head out" in said.hint
    walk.ends(typed)


def test_a_number_of_classes_that_the_weights_contradict_is_left_out(walk: Walk):
    typed = f"{TYPED} --model test_resnet {save(state())}"
    at = "model.networks.building.build_for:hint"
    assert "leave --num-classes out" in walk.refused(f"{typed} --num-classes 5", at).hint
    walk.ends(typed)


def test_a_network_put_together_of_layers_is_saved_by_the_usual_names(walk: Walk):
    network = timm.create_model("test_resnet", num_classes=3)
    *layers, head = network.children()
    typed = f"{TYPED} --model test_resnet"
    checkpoint = save(nn.Sequential(*layers, nn.Flatten(), head).state_dict())
    said = walk.refused(f"{typed} {checkpoint}", f"{REMEDIES}._renamed:hint")
    walk.ends(f"{typed} --checkpoint {run_lines(said)}")


def test_a_body_gets_a_head_by_the_command_that_is_named(walk: Walk):
    checkpoint = save(without_head())
    typed = f"{TYPED} --model test_resnet {checkpoint}"
    said = walk.refused(typed, "commands.evaluate.classifier.load_for:hint")
    assert "fit one to labelled images" in said.hint, "commands.evaluate.classifier.load_for:hint2"
    command = said.command(TRAIN="photos")
    walk.ends(command)
    head = command[command.index("--save-head") + 1]
    walk.ends(f"{ANY_SIZE} --checkpoint {head}")


def test_a_photo_explained_by_a_body_needs_a_head_too(walk: Walk):
    checkpoint = save(without_head())
    typed = f"explain photos/red/0.png --model test_resnet {checkpoint} -o new -q"
    said = walk.refused(typed, "errors.models.NoClassifier.__init__:hint")
    assert "errlens network probe DATA" in said.hint
    probe = f"network probe photos --model test_resnet {checkpoint} --save-head head.safetensors -q"
    walk.ends(probe)
    walk.ends("explain photos/red/0.png --checkpoint head.safetensors -o new -q")


def test_a_body_with_something_in_the_place_of_its_head_takes_a_function(walk: Walk):
    checkpoint = save({**without_head(), "arcface.weight": torch.ones(3, 96)})
    typed = f"{TYPED} --model test_resnet {checkpoint}"
    said = walk.refused(typed, f"{REMEDIES}._without_head:hint2")
    assert "--model package.module:function" in said.hint, f"{REMEDIES}:text"
    Path("own.py").write_text(OWN)
    walk.ends(f"{TYPED} --model own:margin {checkpoint}")


OWN = """
import timm
from torch import nn


class Margin(nn.Module):
    def __init__(self):
        super().__init__()
        body = timm.create_model("test_resnet", num_classes=0)
        for name, child in body.named_children():
            setattr(self, name, child)
        self.body = [body]
        self.arcface = nn.Linear(96, 3, bias=False)

    def forward(self, images):
        return self.arcface(self.body[0](images))


def margin():
    return Margin()


def transformers():
    return timm.create_model("test_resnet", num_classes=3)
"""


@pytest.mark.parametrize(
    ("at", "model"),
    [(f"{REMEDIES}.raise_better:hint2", "--model test_vit"), (f"{REMEDIES}._no_idea:hint", "")],
)
def test_weights_of_another_library_are_loaded_by_a_function(walk: Walk, at: str, model: str):
    layer = "vit.encoder.layer.{}.attention.attention.query.weight"
    checkpoint = save({layer.format(number): torch.ones(8, 8) for number in range(4)})
    said = walk.refused(f"{TYPED} {model} {checkpoint}", at)
    assert "and no --checkpoint" in said.hint, f"{REMEDIES}:text2"
    Path("own.py").write_text(OWN)
    walk.ends(f"{TYPED} --model own:transformers")


def test_weights_of_a_network_of_ones_own_take_its_function(walk: Walk):
    checkpoint = save({"mine.weight": torch.ones(3, 5), "other.weight": torch.ones(7, 3, 2)})
    said = walk.refused(f"{TYPED} {checkpoint}", f"{REMEDIES}._no_idea:hint2")
    assert "--model package.module:function" in said.hint
    Path("mine.py").write_text(MINE)
    walk.ends(f"{TYPED} --model mine:Mine {checkpoint}")


MINE = """
from torch import nn


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.mine = nn.Linear(5, 3, bias=False)
        self.other = nn.Conv1d(3, 7, 2, bias=False)

    def forward(self, images):
        return self.mine(images.mean((2, 3)).repeat(1, 2)[:, :5])
"""


# Weights that are not the network's, and those that are saved instead.
MENDED = [
    (f"{SUBSTITUTES}:hint", lambda: {"fc.lora_A.weight": torch.ones(2, 96), **state()}),
    (f"{SUBSTITUTES}:hint2", lambda: {**state(), "fc.weight.absmax": torch.ones(3)}),
    (f"{FITTING}.check_fit:hint", lambda: {**state(), "fc.weight": torch.ones(3, 96).char()}),
    (f"{SUBSTITUTES}:hint3", lambda: {"fc.weight": torch.ones(3, 96), "fc.bias": torch.ones(3)}),
    (
        f"{FITTING}.refuse_diverged:hint",
        lambda: {**state(), "fc.bias": torch.full((3,), torch.nan)},
    ),
    ("model.weights.checkpoints._find_state:hint2", lambda: {"optimizer": {"lr": 1}, "epoch": 3}),
    ("model.weights.checkpoints._find_state:hint3", lambda: {"epoch": 3}),
]


@pytest.mark.parametrize(("at", "weights"), MENDED, ids=[at for at, _ in MENDED])
def test_the_weights_that_are_meant_are_saved_instead(walk: Walk, at: str, weights):
    typed = f"{TYPED} --model test_resnet {save(weights())}"
    said = walk.refused(typed, at)
    assert said.hint
    save(state())
    walk.ends(typed)

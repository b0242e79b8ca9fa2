"""Hints about files of weights: each is mended as the hint says, and read."""

import re
import shlex
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.hints.walking import IN_PHOTOS, Said, Walk

pytestmark = IN_PHOTOS
EVALUATE = "evaluate photos --model tiny:spatial --checkpoint {} -o new"
TYPED = f"{EVALUATE} -q --img-size 8 --limit 3"
FILES = "model.weights.files"
CHECKPOINTS = "model.weights.checkpoints"
PICKLES = "model.weights.pickles"

STATE = {
    "conv.weight": torch.eye(3)[:, :, None, None].clone(),
    "head.weight": 10 * torch.eye(3).flip(0),
    "head.bias": torch.zeros(3),
}


def saved(tree: object, path: str = "weights.pth") -> None:
    torch.save(tree, path)


class Net(nn.Module):
    """A network that is saved whole."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        self.head = nn.Linear(3, 3)


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def zipped() -> None:
    saved(STATE, "plain.pth")
    with zipfile.ZipFile("plain.pth") as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile("weights.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content + b"\0" * 4096 * name.endswith("/0"))


def many_objects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("errlens.model.weights.pickles.MOST_STEPS", 1000)
    saved({**STATE, "log": [[number] for number in range(2000)]})


# Where a hint is written, how the file came to be, words of the hint, and what is saved instead.
CASES = {
    f"{FILES}.find_file:hint2": (lambda: Path("weights.pth").touch(), "copy or download", STATE),
    f"{FILES}._read_pickle:hint": (
        lambda: saved({**STATE, "head.bias": Calls(torch.zeros, 3)}),
        "torch.save(model.state_dict(), PATH)",
        STATE,
    ),
    f"{FILES}._unreadable:hint": (
        lambda: Path("weights.pth").write_bytes(b"no weights at all"),
        "",
        STATE,
    ),
    f"{PICKLES}._check_archive:hint": (zipped, "save it again", STATE),
    f"{PICKLES}._refuse_copies:hint": (
        lambda: saved({**STATE, "head.weight": STATE["head.weight"].to_sparse()}),
        "save dense tensors",
        STATE,
    ),
    f"{CHECKPOINTS}._check_tensors:hint2": (
        lambda: saved({**STATE, "conv.weight": torch.zeros(1).expand(3000, 30000)}),
        ".contiguous()",
        STATE,
    ),
    f"{CHECKPOINTS}._find_state:hint": (
        lambda: saved({"generator": STATE, "critic": {**STATE, "extra.weight": torch.ones(1)}}),
        "torch.save(",
        STATE,
    ),
    f"{CHECKPOINTS}._refuse_module:hint": (lambda: saved(Net()), "save its weights alone", STATE),
    "errors.models.IncompatibleCheckpoint.__init__:hint": (
        lambda: saved({"other.weight": torch.ones(2, 2), "another.bias": torch.ones(2)}),
        "",
        STATE,
    ),
}


@pytest.mark.parametrize("at", CASES)
def test_a_file_is_mended_as_the_hint_says(walk: Walk, at: str):
    make, words, mended = CASES[at]
    make()
    said = walk.refused(TYPED.format("weights.pth"), at)
    assert words in said.hint
    saved(mended)
    walk.ends(TYPED.format("weights.pth"))


def test_a_file_of_too_many_objects_is_saved_alone(walk: Walk):
    many_objects(walk.monkeypatch)
    said = walk.refused(TYPED.format("weights.pth"), f"{PICKLES}.foreign_globals:hint")
    assert "torch.save(model.state_dict(), PATH)" in said.hint
    saved(STATE)
    walk.ends(TYPED.format("weights.pth"))


def test_lines_of_code_in_a_hint_save_what_can_be_read(walk: Walk):
    saved({"module": Net(), "epoch": 3})
    said = walk.refused(TYPED.format("weights.pth"), f"{CHECKPOINTS}._refuse_module:hint")
    written = run_lines(said)
    walk.ends(TYPED.format(written))


def test_weights_in_several_parts_are_saved_in_one(walk: Walk):
    Path("net").mkdir()
    Path("net/model.safetensors.index.json").write_text("{}")
    said = walk.refused(TYPED.format("net"), f"{FILES}._file_in:hint")
    assert "save them in one: model.save_pretrained(FOLDER" in said.hint
    save_file({name: value.contiguous() for name, value in STATE.items()}, "net/model.safetensors")
    walk.ends(TYPED.format("net"))


@pytest.mark.parametrize("name", ["best.pth", "read me.txt"])
def test_a_folder_names_the_weights_in_it(walk: Walk, name: str):
    Path("my net").mkdir()
    saved(STATE, f"my net/{name}")
    typed = TYPED.partition(" --checkpoint")
    said = walk.refused(TYPED.format("'my net'"), f"{FILES}._file_in:hint2")
    if name == "best.pth":
        words = shlex.split(said.hint)
    else:
        assert said.hint == "pass a file of weights"
        saved(STATE, "best.pth")
        words = ["--checkpoint", "best.pth"]
    walk.ends([*shlex.split(typed[0]), *words, *shlex.split(typed[2].format(""))])


def test_a_file_of_another_kind_goes_another_way(walk: Walk):
    at = f"{FILES}.find_file:hint"
    saved(STATE, "weights.model")
    said = walk.refused(TYPED.format("weights.model"), at)
    _, old, new = shlex.split(said.hint.partition(": ")[2])
    Path(old).rename(new)
    walk.ends(TYPED.format(new))
    Path("weights.pkl").write_bytes(b"pickled")
    said = walk.refused(TYPED.format("weights.pkl"), at)
    assert "torch.save(model.state_dict(), PATH)" in said.hint
    walk.ends(TYPED.format(new))


def test_a_network_of_another_library_is_imported_by_its_predictions(walk: Walk):
    Path("net.onnx").write_bytes(b"a network")
    said = walk.refused(TYPED.format("net.onnx"), f"{FILES}.find_file:hint")
    assert "errlens import takes the table" in said.hint, f"{FILES}._of_another_kind:text"
    Path("predicted.csv").write_text("path,label,pred\n0.png,red,red\n1.png,blue,red\n")
    walk.ends("import predicted.csv -o new")


def run_lines(said: Said) -> str:
    """Run the lines of Python that a hint ends with, and return the file that they write."""
    lines = [line.strip() for line in said.hint.splitlines()[1:]]
    exec("import torch\n" + "\n".join(lines), {})
    return re.findall(r"'([^']+)'\)$", lines[-1])[0]


def test_the_average_of_weights_is_taken_where_that_is_said(walk: Walk):
    saved(
        {"state_dict": STATE, "state_dict_ema": {name: one.clone() for name, one in STATE.items()}}
    )
    typed = EVALUATE.format("weights.pth")
    said = walk.ends(typed, says="--use-ema takes it")
    assert "average" in said.text, "model.networks.loading._remarks:text"
    assert "takes it" not in walk.ends(f"{typed}er --use-ema").text


def test_an_image_size_that_is_too_large_is_said_otherwise(walk: Walk):
    Path("trained").mkdir()
    args = {"model": "test_resnet", "img_size": 100_000}
    import timm

    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    saved({"state_dict": state, "args": args})
    typed = "evaluate photos --checkpoint weights.pth -o new -q"
    said = walk.refused(typed, "model.weights.training.Training.refuse_large_images:hint")
    assert "--img-size N" in said.hint
    walk.ends(f"{typed} --img-size 32 --trust-labels")


def test_an_argument_that_no_file_may_decide_is_said(walk: Walk):
    import timm

    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    args = {"model": "test_resnet", "model_kwargs": {"drop_rate": OrderedDict()}}
    saved({"state_dict": state, "args": args})
    typed = "evaluate photos --checkpoint weights.pth --img-size 32 -o new -q"
    said = walk.refused(typed, "model.networks.arguments.recorded_arguments:hint")
    assert "--model-kwargs drop_rate=VALUE" in said.hint, (
        "model.networks.arguments.recorded_arguments:text"
    )
    walk.ends(f"{typed} --model-kwargs drop_rate=0.1 --trust-labels")

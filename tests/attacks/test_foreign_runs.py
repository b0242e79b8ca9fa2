"""Runs that somebody sent: what their run.json names is not imported, called, fetched or built."""

import contextlib
import json
import shutil
import sys

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.errors import BadCheckpoint, ErrlensError, ForeignCode, NotARun, UnfitModel
from errlens.model.reload import reload_classifier, untrained_classifier
from tests.attacks.limits import forbid_sockets


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    forbid_sockets(monkeypatch)


def evaluate(out, *options):
    arguments = ["evaluate", "photos", "--model", "test_resnet", "--checkpoint", "w.safetensors"]
    command = [*arguments, "--img-size", "32", "-q", "-o", out, *options]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0, said.output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with photos, a checkpoint and, in `sent`, a run of them."""
    folder = tmp_path_factory.mktemp("made")
    for number, name in enumerate("abc"):
        (folder / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), (80 * number, 0, 0)).save(folder / "photos" / name / "0.png")
    torch.manual_seed(0)
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    save_file(state, folder / "w.safetensors")
    with contextlib.chdir(folder):
        evaluate("sent/run")
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """A run in the folder `sent` of the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path / "sent" / "run"


def changed(run, **settings):
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return errlens.open_run(run).info


TRAP = "open('sprung', 'w').close()\ndef spring(**_):\n    pass\n"
FOREIGN = [
    "shutil:rmtree",
    "os:abort",
    "builtins:exec",
    "subprocess:run",
    "torch.hub:load",
    "timm:create_model",
    "torchvision.models:resnet18",
    "pandas:read_pickle",
    "antigravity:geohash",
    "sent.trap:spring",
    "sent.run.trap:spring",
    "packed.trap:spring",
    "errlens.cli:main",
    "..trap:spring",
    "/trap:spring",
    "nowhere:spring",
    ":spring",
    "trap:",
    "x" * 10_000 + ":y",
]


@pytest.mark.parametrize("name", FOREIGN, ids=lambda name: name[:30])
def test_code_that_is_not_of_the_current_folder_is_not_imported(run, name, tmp_path):
    (tmp_path / "packed" / "runs" / "x").mkdir(parents=True)
    (tmp_path / "packed" / "runs" / "x" / "run.json").write_text("{}")
    (tmp_path / "packed" / "__init__.py").write_text(TRAP)
    for folder in (tmp_path / "packed", tmp_path / "sent", run):
        (folder / "trap.py").write_text(TRAP)
    (tmp_path / "sent" / "__init__.py").write_text(TRAP)
    arguments = {"path": str(tmp_path)}
    before = sorted(tmp_path.rglob("*"))
    transform = {"transform": name, "source": "", "exif": False}
    for settings in ({"model": name, "arguments": arguments}, {"preprocessing": transform}):
        info = changed(run, **settings)
        for load in (reload_classifier, untrained_classifier):
            with pytest.raises(ErrlensError) as failure:
                load(info)
            assert failure.value.exit_code in (2, 3)
            assert len(str(failure.value)) < 400
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "settings",
    [
        {"model": None},
        {"model": 7},
        {"model": ["a"]},
        {"arguments": None},
        {"arguments": [1]},
        {"arguments": "x"},
        {"checkpoint": 7},
        {"checkpoint": "/dev/zero"},
        {"checkpoint": "x" * 10_000},
        {"preprocessing": None},
        {"preprocessing": {"transform": 7}},
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_run_that_says_nonsense_of_its_model(run, settings):
    with pytest.raises(ErrlensError) as failure:
        reload_classifier(changed(run, **settings))
    assert failure.value.exit_code in (2, 3)


def test_what_a_module_of_the_users_has_imported_is_not_its_own(run, tmp_path):
    (tmp_path / "mine.py").write_text("from shutil import rmtree\n")
    info = changed(run, model="mine:rmtree", arguments={"path": str(tmp_path / "photos")})
    with pytest.raises(ForeignCode, match="mine:rmtree") as failure:
        reload_classifier(info)
    assert "--trust-run" in failure.value.hint
    assert (tmp_path / "photos").is_dir()


EVIL = [
    {"pretrained_cfg_overlay": {"url": "http://192.0.2.1/x"}, "cache_dir": "taken"},
    {"pretrained": True},
    {"checkpoint_path": "/etc/passwd"},
    {"act_layer": "os.system"},
    {"stem_width": 10**9},
]


@pytest.mark.parametrize("checkpoint", ["w.safetensors", None])
@pytest.mark.parametrize("arguments", EVIL, ids=str)
def test_arguments_of_a_run_are_those_that_a_checkpoint_may_record(run, arguments, checkpoint):
    info = changed(run, arguments=arguments, checkpoint=checkpoint)
    for load in (reload_classifier, untrained_classifier):
        with pytest.raises(BadCheckpoint, match=r"run\.json records"):
            load(info)


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("resnet18", {"channels": [900_000, 1, 1, 1]}),
        ("vit_tiny_patch16_224", {"embed_dim": 900_000, "num_heads": 1}),
        ("vit_tiny_patch16_224", {"mlp_ratio": 1e5}),
        ("resnet18", {"cardinality": 0}),
    ],
)
def test_a_run_without_a_checkpoint_builds_nothing_enormous(run, model, arguments):
    info = changed(run, model=model, arguments=arguments, checkpoint=None)
    for load in (reload_classifier, untrained_classifier):
        with pytest.raises(UnfitModel):
            load(info)


@pytest.mark.parametrize(
    "preprocessing",
    [
        {"img_size": [10**6, 10**6]},
        {"img_size": [0, 8]},
        {"img_size": 8},
        {"crop_pct": 1e-9},
        {"crop_pct": "x" * 10_000},
        {"crop_mode": "os.system"},
        {"interpolation": None},
        {"mean": [0.5] * 1000},
        {"std": [0.0, 0.0, 0.0]},
        {"exif": "yes"},
        {"more": 1},
    ],
    ids=lambda one: str(one)[:40],
)
def test_preprocessing_of_a_run_is_looked_at(run, preprocessing):
    usual = json.loads((run / "run.json").read_text())["preprocessing"]
    info = changed(run, preprocessing=usual | preprocessing)
    with pytest.raises(NotARun, match="preprocessing"):
        reload_classifier(info)


@pytest.mark.parametrize("options", [["--top", "1", "-q"], ["--list"]])
@pytest.mark.usefixtures("run")  # for its folder
def test_the_users_own_word_lets_a_run_of_theirs_through(options):
    evaluate("own", "--model-kwargs", "act_layer=relu")
    said = CliRunner().invoke(app, ["explain", "own", *options])
    assert said.exit_code == 3
    assert "--trust-run" in said.output
    said = CliRunner().invoke(app, ["explain", "own", "--trust-run", *options])
    assert said.exit_code == 0, said.output

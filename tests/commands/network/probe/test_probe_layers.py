"""`errlens network probe --layers`, on networks that throw away what tells two classes apart."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import errlens
from errlens.errors import UserCodeFailed
from errlens.model.load import ModelSpec, load_classifier
from errlens.network.features import read_features
from errlens.network.probing.layers import probed_layers
from tests.conftest import ends, refused

EACH = 24
COLOURS = {"red": (150, 90, 90), "green": (90, 150, 90), "blue": (90, 90, 150)}
# `grey` makes red and green the same; `lost` is what the layers after it have left.
NETWORKS = """
import torch
from torch import nn


class Forgets(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.seen = nn.Conv2d(3, 3, 1, bias=False)
        self.grey = nn.Conv2d(3, 3, 1, bias=False)
        self.lost = nn.Conv2d(3, 3, 1, bias=False)
        self.head = nn.Linear(3, num_classes)
        self.pair = Pair()
        with torch.no_grad():
            for layer in (self.seen, self.lost):
                layer.weight.copy_(torch.eye(3)[:, :, None, None])
            mixed = torch.tensor([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
            self.grey.weight.copy_(mixed[:, :, None, None])
            self.head.weight.copy_(torch.tensor([[-1.0, -1, 2], [0, 1, -1], [1, 0, -1]]))
            self.head.bias.zero_()

    def forward(self, images):
        maps = self.seen(images)
        self.pair(maps)
        maps = self.lost(self.grey(maps))
        return self.head(maps.mean(dim=(2, 3)))


class Pair(nn.Module):
    def forward(self, maps):
        return maps, maps


class Divides(Forgets):
    def forward(self, images):
        return self.head(self.lost(self.seen(images) * float("inf")).mean(dim=(2, 3)).nan_to_num())


def forgets():
    return Forgets()


def divides():
    return Divides()
"""
MODEL = "--model networks:forgets --img-size 8"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed")
    random = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(EACH):
            shift = np.clip(np.array(colour) + random.normal(0, 12, 3), 0, 255)
            pixels = np.clip(shift + random.normal(0, 5, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    (folder / "networks.py").write_text(NETWORKS, encoding="utf-8")
    (folder / "one" / "red").mkdir(parents=True)
    (folder / "parents.csv").write_text("class_name,superclass\nred,warm\ngreen,warm\n")
    return folder


@pytest.fixture(autouse=True)
def _there(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))


def tables(folder):
    return {path.stem: pd.read_csv(path) for path in Path(folder).glob("*.csv")}


def test_what_a_layer_throws_away_is_found_before_it_and_not_after(tmp_path):
    said = ends(
        f"network probe photos {MODEL} --layers seen,grey,lost,penultimate --pair red~green "
        f"--superclasses parents.csv --per-class 1,3,10 -o {tmp_path}"
    )
    words = " ".join(said.stdout.split())
    assert "red and green are told apart from seen on (100.0 % of 48, 95 % interval" in words
    assert "; lost again at grey (" in words
    assert "in 10 shuffles of each); always naming the most frequent class gets 33.3 %" in words
    found = tables(tmp_path / "probe")
    layers = found["layers"].set_index("layer")
    assert layers.index.tolist() == ["seen", "grey", "lost", "penultimate"]
    assert layers.loc["seen", "accuracy"] > 0.95
    assert 0.5 < layers.loc["grey", "accuracy"] < 0.85
    assert (layers["n"] == 3 * EACH).all()
    assert (layers["control"] < 0.55).all()
    assert found["pairs"]["standing"].tolist() == ["told", "chance", "chance", "chance"]
    superclasses = found["superclasses"].set_index("layer")
    assert superclasses.loc["grey", "superclass_accuracy"] > 0.95
    assert superclasses.loc["grey", "accuracy"] < 0.8
    curves = found["curves"].set_index(["layer", "per_class"])["accuracy"]
    assert curves["seen", 10] > 0.9 > curves["grey", 10]
    pictures = sorted(path.name for path in (tmp_path / "probe").glob("*.png"))
    assert pictures == ["classes.png", "curves.png", "layers.png", "pairs.png"]
    parameters = json.loads((tmp_path / "probe/parameters.json").read_text("utf-8"))
    assert parameters["partings"][0]["lost_at"] == "grey"
    assert parameters["floats_kept"] == 3 * EACH * 12


def test_batches_and_threads_change_nothing(tmp_path):
    found = []
    for name, how in (("a", "--batch-size 1 --workers 1"), ("b", "--batch-size 50 --workers 3")):
        ends(f"network probe photos {MODEL} --layers all --per-class 2 {how} -o {tmp_path / name}")
        found.append(tables(tmp_path / name / "probe"))
    for name, table in found[0].items():
        pd.testing.assert_frame_equal(table, found[1][name])


def test_a_run_brings_images_model_and_pairs_and_the_last_layer_does_about_as_well():
    ends("evaluate photos --model networks:forgets --img-size 8 -o run -q --overwrite")
    run = errlens.open_run("run")
    said = ends("network probe run --layers all --json --trust-run")
    tree = json.loads(said.stdout)
    assert tree["run_hash"] == run.info.run_hash
    assert tree["own_accuracy"] == pytest.approx(run.metrics["top1"]["value"])
    assert tree["layers"][-1]["layer"] != "head"
    assert abs(tree["layers"][-1]["accuracy"] - tree["own_accuracy"]) < 0.2
    assert Path("run/network/probe/layers.csv").is_file()


def test_python_gets_the_tables_and_the_network_back_as_it_was(tmp_path):
    result = errlens.network_probe(
        "photos", model="networks:forgets", img_size=8, layers="seen", into=tmp_path, quiet=True
    )
    assert result.layers["layer"].tolist() == ["seen"]
    assert result.figures.keys() == {"layers.png", "classes.png"}
    module = result.subject.classifier.network.module
    assert not any(part._forward_hooks for part in module.modules())
    assert repr(result) == "<networks:forgets: 1 layer probed with 72 images of 3 classes>"


def test_copies_are_left_out_since_a_probe_would_know_them(tmp_path):
    for name in ("red", "green"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            path = Path("photos", name, f"{number}.png")
            (tmp_path / "photos" / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "photos/red/again.png").write_bytes(Path("photos/red/0.png").read_bytes())
    said = ends(f"network probe {tmp_path / 'photos'} {MODEL} --layers seen -o {tmp_path}")
    assert "1 image left out, a copy" in said.stderr
    assert tables(tmp_path / "probe")["layers"]["n"].tolist() == [12]


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        ("--layers sen", 2, "mean seen"),
        ("--layers pair", 2, "puts out no tensor"),
        ("--layers ,", 2, "names no layer"),
        ("--layers all --folds 30", 2, "--folds 24"),
        ("--layers all --folds 1", 2, "--folds"),
        ("--per-class 24", 2, "--per-class 23"),
        ("--per-class 3,x", 2, "no list of numbers"),
        ("--per-class 0", 2, "no list of numbers"),
        ("--layers all --pair red~gren", 2, "mean green"),
        ("--per-class 3 --pair red~green", 2, "--layers all"),
        ("--layers all --save-head h.safetensors", 2, "one at a time"),
        ("", 2, "--save-head"),
    ],
)
def test_what_cannot_be_done_is_refused(options, exit_code, words, tmp_path):
    said = refused(f"network probe photos {MODEL} {options} -o {tmp_path}", exit_code=exit_code)
    assert words in " ".join(said.split())
    assert not any(tmp_path.iterdir())


def test_values_that_are_not_finite_are_refused(tmp_path):
    typed = f"network probe photos --model networks:divides --img-size 8 -o {tmp_path}"
    assert "'lost' puts out values that are not finite" in refused(
        f"{typed} --layers seen,lost", exit_code=3
    )


def test_a_run_is_not_given_another_model():
    ends("evaluate photos --model networks:forgets --img-size 8 -o run -q --overwrite")
    said = refused("network probe run --layers all --model resnet18 --limit 3", exit_code=2)
    assert "--limit, --model would change them" in said


def test_a_file_that_is_a_copy_now_hides_no_image_that_is_as_it_was():
    ends("evaluate photos --model networks:forgets --img-size 8 -o run -q --overwrite")
    path = Path("photos/blue/0.png")
    before = path.read_bytes()
    path.write_bytes(Path("photos/blue/1.png").read_bytes())
    try:
        said = ends("network probe run --layers seen --trust-run")
    finally:
        path.write_bytes(before)
    assert "1 image left out: another file now than was predicted" in said.stderr
    assert "a copy of another one" not in said.stderr
    assert pd.read_csv("run/network/probe/layers.csv")["n"].tolist() == [3 * EACH - 1]


def test_a_class_of_a_single_image_is_left_out_and_told(tmp_path):
    for name, images in (("red", 6), ("green", 6), ("blue", 1)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(images):
            path = Path("photos", name, f"{number}.png")
            (tmp_path / "photos" / name / path.name).write_bytes(path.read_bytes())
    typed = f"network probe {tmp_path / 'photos'} {MODEL} --layers seen -o {tmp_path}"
    said = ends(f"{typed} --pair red~blue")
    assert "1 class left out, of a single image each: blue" in said.stderr
    assert "red~blue: one of them has too few images" in said.stderr
    assert tables(tmp_path / "probe")["layers"]["n"].tolist() == [12]


def test_unreadable_photos_are_told(tmp_path):
    for name in ("red", "green"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            path = Path("photos", name, f"{number}.png")
            (tmp_path / "photos" / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "photos/red/0.png").write_bytes(b"nothing")
    said = ends(f"network probe {tmp_path / 'photos'} {MODEL} --layers seen -o {tmp_path}")
    assert "1 of 12 images left out: no label, or cannot be read" in said.stderr
    assert tables(tmp_path / "probe")["layers"]["n"].tolist() == [11]


def test_no_hook_is_left_behind_by_an_error_on_the_way(monkeypatch):
    classifier = load_classifier(ModelSpec("networks:forgets", overrides={"img_size": 8}))
    layers = probed_layers(classifier.network.module, (3, 8, 8), ["seen", "lost"])
    paths = sorted(Path("photos/red").glob("*.png"))
    threads = torch.get_num_threads()
    monkeypatch.setattr(classifier.network.module.lost, "forward", fails)
    with pytest.raises(UserCodeFailed):
        read_features(classifier, paths, layers=layers, batch_size=4, workers=2)
    assert not any(
        part._forward_hooks or part._forward_pre_hooks
        for part in classifier.network.module.modules()
    )
    assert torch.get_num_threads() == threads


def fails(_maps):
    raise ValueError("on purpose")

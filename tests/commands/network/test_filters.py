import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import errlens
from errlens.network.filters.side_by_side import DIFFERENCE_COLUMNS
from errlens.network.filters.suspicions import SUSPICION_COLUMNS
from errlens.network.filters.tables import FILTER_COLUMNS, LAYER_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import REPOSITORY, contents, ends, refused

CHECKPOINT = REPOSITORY / "sample_data" / "digits" / "test_resnet.digits.safetensors"
NETS = """
import torch
from torch import nn


class Convs(nn.Sequential):
    def __init__(self, channels=3):
        super().__init__(
            nn.Conv2d(channels, 40, 5, stride=2), nn.BatchNorm2d(40), nn.ReLU(),
            nn.Conv2d(40, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
        )
        self.num_classes = 3


def untrained():
    torch.manual_seed(0)
    return Convs()


def broken():
    module = untrained()
    with torch.no_grad():
        module[0].weight[3] = float("nan")
    return module


class Six(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Convs(6)

    def forward(self, images):
        return self.body(torch.cat([images, -images], dim=1))


def six():
    return Six()


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 3))
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    Path("judged.py").write_text(NETS)


@pytest.fixture
def other():
    """A second network: that of the sample with filters that are dead, copies, and opposites."""
    tensors = load_file(CHECKPOINT)
    weight = tensors["conv1.0.weight"]
    weight[1], weight[3] = 2 * weight[0], 0.5 * weight[2]
    factors = tensors["conv1.1.weight"]
    factors[1], factors[3], factors[5] = abs(factors[0]), abs(factors[2]), 0
    factors[0], factors[2] = abs(factors[0]), abs(factors[2])
    save_file(tensors, "other.safetensors")
    return Path("other.safetensors")


def test_a_run_has_pictures_and_numbers_in_a_folder_of_its_own(sample):
    run = Path(shutil.copytree(sample.run.path, "run"))
    before = contents(run)
    printed = ends(["network", "filters", run]).stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert printed.startswith("run: 49 convolutions, 21,008 filters: 130 dead")
    folder = run / "network" / "filters"
    assert {path.name for path in folder.iterdir()} == {
        "first_layer.png", "first_layer.npz", "spectra.png", "layers.csv", "filters.csv",
        "suspicions.csv", "parameters.json", "made_from.json",
    }  # fmt: skip
    layers = read_declared(folder / "layers.csv", LAYER_COLUMNS)
    filters = read_declared(folder / "filters.csv", FILTER_COLUMNS)
    read_declared(folder / "suspicions.csv", SUSPICION_COLUMNS)
    assert len(filters) == layers["filters"].sum() == 21008
    made_of = json.loads((folder / "made_from.json").read_text("utf-8"))["run_hash"]
    assert made_of == sample.run.info.run_hash
    after = contents(run)
    assert {name: after[name] for name in before} == before


def test_the_first_filters_are_those_of_the_photo_with_the_normalization():
    std = [0.5, 0.25, 0.2]
    asked = f"network filters {CHECKPOINT} --model test_resnet --std 0.5 0.25 0.2 -q"
    for bgr in ("", " --bgr"):
        ends(asked + bgr)
        tensors = load_file(CHECKPOINT)
        factor = tensors["conv1.1.weight"] / (tensors["conv1.1.running_var"].double() + 1e-5).sqrt()
        expected = tensors["conv1.0.weight"].double() * factor.reshape(-1, 1, 1, 1)
        expected = expected / torch.tensor(std).reshape(1, 3, 1, 1)
        with np.load("network/filters/first_layer.npz") as arrays:
            found = arrays["filters1"][:, :: -1 if bgr else 1]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_json_says_what_the_tables_do(sample):
    printed = json.loads(
        ends(["network", "filters", sample.run.path, "-o", "out", "--json"]).stdout
    )
    layers = pd.read_csv("out/filters/layers.csv")
    assert printed["run_hash"] == sample.run.info.run_hash
    assert [layer["layer"] for layer in printed["layers"]] == layers["layer"].tolist()
    assert printed["networks"][0]["first_layer"] == "conv_stem"
    # Four stem filters of this EfficientNet are dead, and what follows them channel by channel.
    assert [one["layer"] for one in printed["suspicions"]] == ["conv_stem", "blocks.0.0.conv_dw"]
    assert printed["differences"] is None
    parameters = json.loads(Path("out/filters/parameters.json").read_text("utf-8"))
    assert parameters["scale"] == "filter"
    assert parameters["networks"] == printed["networks"]


def test_a_second_call_writes_the_same_bytes(other):
    for folder in ("one", "two"):
        ends(f"network filters {other} --model test_resnet -o {folder} -q")
    assert contents("one") == contents("two")


def test_what_is_suspicious_is_said_and_marked_in_the_table(other):
    said = ends(f"network filters {other} --model test_resnet").stdout
    printed = " ".join(said.split())
    assert "Suspicious: 2 of 16 filters of conv1.0 repeat an earlier one (12.5 %)" in printed
    filters = pd.read_csv("network/filters/filters.csv").query("layer == 'conv1.0'")
    assert filters.set_index("filter")["duplicate_of"].dropna().to_dict() == {1: 0, 3: 2}
    assert filters.loc[filters["dead"], "filter"].tolist() == [5]
    assert pd.read_csv("network/filters/suspicions.csv")["kind"].tolist() == ["duplicates"]


def test_two_networks_stand_side_by_side_and_each_alone_is_kept(other):
    first = f"network filters {CHECKPOINT} --model test_resnet -o out"
    ends(f"{first} -q")
    alone = contents("out/filters")
    # The second file tells its architecture by itself.
    words = ["network", "filters", CHECKPOINT, other, "--model", "test_resnet", "-o", "out"]
    printed = " ".join(ends(words).stdout.split())
    assert "First layer: test_resnet.digits 3 x 3 with stride 2 has" in printed
    assert "1 of 16 filters dead" in printed
    folder = Path("out/filters/against_other")
    differences = read_declared(folder / "differences.csv", DIFFERENCE_COLUMNS)
    assert (differences["layer"] == differences["other_layer"]).all()
    assert differences.loc[0, ["dead", "other_dead", "other_duplicates"]].tolist() == [0, 1, 2]
    layers = pd.read_csv(folder / "layers.csv")
    assert layers["network"].unique().tolist() == ["test_resnet.digits", "other"]
    with np.load(folder / "first_layer.npz") as arrays:
        assert {*arrays} == {"filters1", "filters2"}
    both = contents("out/filters")
    del alone["made_from.json"]
    assert {name: both[name] for name in alone} == alone
    ends(f"{first} -q --scale layer")
    assert (folder / "spectra.png").exists()


def test_networks_of_one_name_are_told_apart(other):
    Path("a").mkdir()
    result = errlens.network_filters(shutil.copy(CHECKPOINT, "a/other.safetensors"), other)
    assert repr(result) == "<other and other (2): 30 convolutions, 2,080 filters, 1 suspicion>"
    assert result.suspicions["network"].tolist() == ["other (2)"]
    assert [*result.figures] == ["first_layer.png", "spectra.png"]


def test_a_network_is_not_held_against_itself(sample):
    again = ["network", "filters", sample.run.path, sample.run.path, "-o", "out"]
    assert "has the same weights" in refused(again, exit_code=2)
    assert not Path("out").exists()


def test_a_network_that_was_never_trained_is_warned_of(judged):
    del judged
    said = ends("network filters judged:untrained --img-size 32")
    assert "looks never trained" in " ".join(said.stderr.split())
    assert "Suspicious" not in said.stdout
    assert "Nothing is suspicious" not in said.stdout


def test_weights_that_are_no_numbers_are_told(judged):
    del judged
    said = ends("network filters judged:broken --img-size 32").stdout
    assert "1 of 40 filters of 0 hold weights that are no numbers" in " ".join(said.split())


def test_filters_of_other_channels_than_colours_stand_side_by_side(judged):
    del judged
    said = ends("network filters judged:six --img-size 32")
    assert "no filter of judged:six looks at pixels" in " ".join(said.stderr.split())
    assert not Path("network/filters/first_layer.png").exists()
    assert Path("network/filters/spectra.png").exists()


def test_networks_without_filters_and_names_of_nothing_are_refused(judged, sample):
    del judged
    assert "no convolution of images" in refused(
        "network filters judged:linear --img-size 32", exit_code=3
    )
    assert "did you mean" in refused("network filters test_resnt", exit_code=2)
    assert "no run folder" in refused(
        ["network", "filters", sample.run.path, "runs/none"], exit_code=3
    )
    assert "did you mean" in refused(
        ["network", "filters", sample.run.path, "test_resnt"], exit_code=2
    )


def test_a_real_network_has_the_dead_filters_that_it_is_known_for(real_data):
    """Four stem filters of EfficientNet-Lite0 are zero to seven digits; no other layer has many."""
    checkpoint = real_data / "models" / "tf_efficientnet_lite0.in1k.safetensors"
    weight = load_file(checkpoint)["conv_stem.weight"]
    result = errlens.network_filters(checkpoint, model="tf_efficientnet_lite0", out="out")
    assert result.suspicions["layer"].tolist() == ["conv_stem", "blocks.0.0.conv_dw"]
    filters = result.tables.filters
    dead = filters.loc[filters["dead"] & (filters["layer"] == "conv_stem"), "filter"]
    weak = np.flatnonzero(weight.flatten(1).norm(dim=1) < 1e-5)
    assert dead.tolist() == weak.tolist() == [11, 16, 28, 31]
    assert not result.untrained
    assert isinstance(result.networks[0].subject.classifier.network.module, nn.Module)


def test_a_network_before_and_after_its_training_differs(real_data):
    before, after = (
        real_data / "models" / f"test_resnet.cifar10.epoch{epoch}.safetensors"
        for epoch in ("00", "15")
    )
    result = errlens.network_filters(before, after, out="out")
    assert result.untrained == [before.stem]
    assert not len(result.suspicions)
    low = result.differences.dropna(subset=["low", "other_low"])
    assert (low["other_low"] > low["low"]).all()

"""`errlens atlas collect`."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens.analysis.atlas.collected import collected_layers, read_collected
from tests.conftest import contents, ends, refused

FILES = {
    "points.parquet", "activations.npy", "attributions.npy", "parameters.json", "made_from.json",
}  # fmt: skip
NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        with torch.no_grad():
            self.stem.weight[4] = 0
        self.conv = nn.Conv2d(6, 5, 3, stride=2)
        self.head = nn.Linear(5, 3)
        self.num_classes = 3
        self.nan = False

    def forward(self, images):
        pooled = self.conv(self.stem(images).relu()).mean(dim=(2, 3))
        return self.head(pooled) * (float("nan") if self.nan else 1)


def colours(**kwargs):
    return Net()


class Unused(Net):
    def forward(self, images):
        self.conv(images.mean(dim=1, keepdim=True).expand(-1, 6, -1, -1))
        return self.head(self.stem(images).amax(dim=(2, 3))[:, :5])


def unused(**kwargs):
    return Unused()
"""


@pytest.fixture(autouse=True)
def here(photos, monkeypatch):
    """The folder of the photos, with networks."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "point_nets", raising=False)
    Path("point_nets.py").write_text(NETS)


@pytest.fixture
def seen(here):
    del here
    ends("evaluate photos --model point_nets:colours --img-size 16 -o seen -q")
    return Path("seen")


def test_every_layer_has_a_folder_with_its_points(seen):
    before = contents(seen)
    printed = ends("atlas collect seen --layer stem,conv --per-image 3").stdout
    assert max(map(len, printed.splitlines())) <= 80
    run = errlens.open_run(seen)
    assert collected_layers(run) == ["stem", "conv"]  # as they run
    images = run.predictions.frame.set_index("row")
    for name, method, grid in (("stem", "jvp", (16, 16)), ("conv", "linear", (7, 7))):
        assert {path.name for path in (seen / "atlas" / name).iterdir()} == FILES
        points = read_collected(run, name)
        assert points.grid == grid
        assert len(points) == 3 * len(images)
        said = points.parameters
        assert (said["method"], said["n_points"], said["n_images"]) == (
            method, len(points), len(images),
        )  # fmt: skip
        assert (said["per_image"], said["seed"], said["input"]) == (3, 0, [16, 16])
        assert (points.bias is None) == (method == "jvp")
        assert not points.table.duplicated(["row", "place_row", "place_column"]).any()
        known = images.loc[points.table["row"]]
        for column in ("sample_id", "label", "pred"):
            assert points.table[column].tolist() == known[column].tolist()
        np.testing.assert_array_equal(points.attributions.argmax(axis=1), points.table["top_class"])
    assert {name: contents(seen)[name] for name in before} == before


def test_channels_that_are_zero_in_every_point_are_counted(seen):
    result = errlens.atlas_collect(seen, layer=["stem", "conv"])
    assert result.table["dead_channels"].tolist() == [1, 0]
    assert read_collected(errlens.open_run(seen), "stem").parameters["dead_channels"] == [4]
    assert "1 of 6" in ends("atlas collect seen --layer stem").stdout
    assert "points of 2 layers" in repr(result)


def test_the_same_seed_gives_the_same_bytes_another_one_other_places(seen):
    asked = "atlas collect seen --layer conv,stem -q"
    ends(f"{asked} --workers 1")
    first = contents(seen / "atlas")
    ends(f"{asked} --workers 3")
    assert contents(seen / "atlas") == first
    ends(f"{asked} --seed 1")
    assert contents(seen / "atlas") != first


def test_fewer_images_have_the_points_that_they_have_among_all(seen):
    ends("atlas collect seen -q")
    run = errlens.open_run(seen)
    every = read_collected(run, "conv").table
    printed = ends("atlas collect seen --limit 6 --batch-size 1 -v")
    assert "6 images drawn of" in printed.stderr
    few = read_collected(run, "conv").table
    assert few["row"].nunique() == 6
    assert (run.predictions.frame.set_index("row").loc[few["row"].unique(), "label"].nunique()) == 3
    columns = ["row", "place_row", "place_column"]
    assert len(few.merge(every, on=columns)) == len(few) == 24


def test_points_of_others_are_not_taken_for_those_of_before(seen):
    run = errlens.open_run(seen)
    identities = []
    for words in ("", "--seed 1", "--per-image 2", "--limit 3"):
        ends(f"atlas collect seen -q {words}")
        identities.append(read_collected(run, "conv").identity)
    assert len(set(identities)) == 4


def test_photos_that_are_gone_are_left_out_and_told(seen):
    photo, *_ = sorted(Path("photos/red").iterdir())
    photo.unlink()
    printed = ends("atlas collect seen")
    assert "1 image left out" in printed.stderr
    points = read_collected(errlens.open_run(seen), "conv")
    assert points.parameters["n_unread"] == 1
    assert list(points.parameters["unread"]) == [f"red/{photo.name}"]
    assert f"red/{photo.name}" not in points.table["sample_id"].tolist()
    assert len(points.activations) == len(points)


def test_a_run_without_photos_has_no_points_and_keeps_those_of_before(seen):
    ends("atlas collect seen -q")
    before = contents(seen)
    Path("photos").rename("moved")
    said = refused("atlas collect seen", exit_code=3)
    assert "none of" in said
    assert "--data-root DIR" in said
    assert contents(seen) == before
    said = ends("atlas collect seen --data-root moved").stdout
    assert "Next: errlens atlas render seen --data-root moved\n" in said
    assert contents(seen) == before


def test_networks_that_give_no_finite_scores_are_refused(seen):
    del seen
    nets = Path("point_nets.py")
    nets.write_text(NETS.replace("self.nan = False", "self.nan = True"))
    sys.modules.pop("point_nets")
    assert "not finite" in refused("atlas collect seen", exit_code=3)


def test_layers_that_no_class_depends_on_are_refused(here):
    del here
    ends("evaluate photos --model point_nets:unused --img-size 16 -o other -q")
    said = refused("atlas collect other --layer conv", exit_code=3)
    assert "'conv'" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--layer stme", "did you mean stem?"),
        ("--layer head", "has no map of places"),
        ("--per-image 0", "--per-image"),
    ],
)
def test_what_cannot_be_asked_is_refused(seen, words, says):
    assert says in refused(f"atlas collect {seen} {words}", exit_code=2)
    assert not (seen / "atlas").exists()


def test_imported_predictions_have_no_layers(here):
    del here
    pd.DataFrame({"path": ["a", "b"], "label": ["red", "blue"], "pred": ["red", "red"]}).to_csv(
        "t.csv"
    )
    ends("import t.csv -o imported -q")
    assert "model" in refused("atlas collect imported", exit_code=3)


def test_json_tells_of_each_layer(seen):
    del seen
    printed = json.loads(ends("atlas collect seen --layer conv,stem --json").stdout)
    assert [layer["layer"] for layer in printed["layers"]] == ["stem", "conv"]
    assert printed["table"][1]["method"] == "linear"


def test_a_configuration_collects(seen):
    Path("chain.yaml").write_text(
        f"out: {seen}\nevaluate: {{data: photos, model: 'point_nets:colours', img_size: 16}}\n"
        "atlas_collect: {layer: [conv], per_image: 1}\n"
    )
    ends("run chain.yaml -q")
    assert read_collected(errlens.open_run(seen), "conv").parameters["per_image"] == 1

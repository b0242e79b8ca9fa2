"""`errlens network features`, as a user meets it."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.commands.network.features.tables import FEATURES_COLUMNS, FIRING_COLUMNS
from errlens.run.csv_tables import read_declared
from errlens.run.folder import open_run
from tests.conftest import COLOURS, contents, ends, paint_colours, refused

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, act, num_classes=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.act = act
        self.pool = nn.MaxPool2d(2)
        self.deep = nn.Conv2d(6, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 1, 1)
        self.head = nn.Linear(8, num_classes)

    def forward(self, images):
        x = self.act(self.deep(self.pool(self.act(self.stem(images)))))
        return self.head(x.mean((2, 3))) + 0 * self.last(x).mean()


def net(act=None, dead=False):
    torch.manual_seed(0)
    module = Net(act or nn.ReLU())
    if dead:
        with torch.no_grad():
            module.deep.bias[2] = -100.0
    return module


def dead():
    return net(dead=True)


def smooth():
    return net(nn.GELU())
"""
TABLES = {"features.csv", "firing.csv", "features.npz", "features.json"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photos, networks, and a run of each."""
    folder = tmp_path_factory.mktemp("nets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        paint_colours(Path("photos"))
        Path("parents.csv").write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
        Path("nets.py").write_text(NETS)
        for name in ("net", "dead", "smooth"):
            ends(
                f"evaluate photos --model nets:{name} -o {name} -q --img-size 16 "
                "--superclasses parents.csv"
            )
        sys.modules.pop("nets")
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    for run in ("net", "dead", "smooth"):  # they recorded where the photos were
        info = json.loads(Path(run, "run.json").read_text())
        info["data_root"] = str(Path("photos").absolute())
        Path(run, "run.json").write_text(json.dumps(info))
    return tmp_path / "here"


def table(name, columns, run="net"):
    return read_declared(Path(run, "network/features", name), columns)


def loaded(name):
    with np.load(Path("net/network/features", name)) as arrays:
        return dict(arrays)


@pytest.mark.usefixtures("here")
def test_it_writes_a_sheet_a_layer_one_of_all_tables_arrays_and_parameters():
    said = ends("network features net --layer stem,deep --channels 4,1 --top 4").stdout
    assert set(contents("net/network/features")) == {
        "made_from.json", "sheets/stem.png", "sheets/deep.png", "layers.png", *TABLES,
    }  # fmt: skip
    assert "Wrote net/network/features: features.csv" in said
    features = table("features.csv", FEATURES_COLUMNS)
    assert list(features) == list(FEATURES_COLUMNS)
    assert features.groupby(["layer", "channel"], sort=False).size().to_dict() == {
        ("stem", 4): 4, ("stem", 1): 4, ("deep", 4): 4, ("deep", 1): 4,
    }  # fmt: skip
    for _, of_channel in features.groupby(["layer", "channel"]):
        assert of_channel["rank"].tolist() == [1, 2, 3, 4]
        assert of_channel["value"].is_monotonic_decreasing
        assert of_channel["row"].is_unique
    assert set(features["projection"]) == {"deconvnet"}
    firing = table("firing.csv", FIRING_COLUMNS)
    assert set(firing["n"]) == {12}
    assert set(firing["top_superclass"]) <= {"cold", "warm"}
    with Image.open("net/network/features/layers.png") as sheet:
        assert min(sheet.size) > 200


@pytest.mark.usefixtures("here")
def test_arrays_and_parameters_say_the_same_as_the_tables():
    ends("network features net --layer deep --channels strongest:2 --top 3 -q")
    features = table("features.csv", FEATURES_COLUMNS)
    arrays = loaded("features.npz")
    channels = arrays["deep.channels"].tolist()
    for channel, of_channel in features.groupby("channel"):
        at = channels.index(channel)
        assert arrays["deep.rows"][at].tolist() == of_channel["row"].tolist()
        places = of_channel[["unit_row", "unit_column"]].to_numpy()
        np.testing.assert_array_equal(arrays["deep.places"][at], places)
    parameters = json.loads(Path("net/network/features/features.json").read_text())
    assert parameters["layers"][0]["channels"] == channels
    assert parameters["n_images"] == 12
    assert parameters["projection"] == "deconvnet"


@pytest.mark.usefixtures("here")
def test_projections_are_written_as_they_are_where_that_is_wanted():
    ends("network features net --layer deep --channels 0,3 --top 2 --save-projections -q")
    projections = loaded("projections/deep.npz")
    assert {name.split(".")[0] for name in projections} == {"0", "3"}
    assert {projections[name].shape for name in projections} == {(3, 16, 16)}


@pytest.mark.usefixtures("here")
def test_a_channel_that_never_fires_is_said_and_has_an_empty_place_on_the_sheet():
    said = ends("network features dead --layer act --channels 2 --json")
    assert "1 channel never above zero: act 2" in said.stderr
    (firing,) = json.loads(said.stdout)["firing"]
    assert (firing["fires"], firing["n"], firing["highest"]) == (0, 12, None)
    assert not len(table("features.csv", FEATURES_COLUMNS, run="dead"))


@pytest.mark.usefixtures("here")
def test_a_layer_that_runs_twice_counts_as_it_runs_last_and_says_so():
    said = ends("network features net --layer act --channels 0")
    assert "act runs 2 times for an image" in " ".join(said.stderr.split())
    arrays = loaded("features.npz")
    assert arrays["act.places"].max() < 7  # the map after the pool, not that before it


@pytest.mark.usefixtures("here")
def test_a_network_that_a_deconvnet_cannot_show_gets_what_fits_and_a_refusal_where_it_is_named():
    ends("network features smooth --layer deep -q")
    features = table("features.csv", FEATURES_COLUMNS, run="smooth")
    assert set(features["projection"]) == {"gradient-x-input"}
    said = refused("network features smooth --layer deep --projection deconvnet", exit_code=2)
    assert "no rectifier" in said
    assert "--projection gradient-x-input" in said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--layer deeep", "did you mean deep?"),
        ("--layer head", "has no map of places"),
        ("--layer deep --channels 8", "they count from 0: it has channels 0 to 7"),
        ("--layer last --channels 1", "they count from 0: it has channel 0 alone"),
        ("--channels -1", "says no channels"),
        ("--channels random", "says no channels"),
        ("--channels strongest:0", "how many is a number above 0"),
        ("--channels strongest:many", "how many is a number above 0"),
        ("--channels 1-3", "says no channels"),
    ],
)
def test_what_there_is_not_is_refused_before_an_image_is_read(options, words):
    said = refused(["network", "features", "net", *options.split(" ")], exit_code=2)
    assert words in " ".join(said.split())
    assert not Path("net/network").exists()


@pytest.mark.usefixtures("here")
def test_images_that_are_gone_are_left_out_and_where_all_are_it_says_what_to_do():
    Path("photos/red/0.png").unlink()
    said = ends("network features net --layer deep --channels 0")
    assert "1 image left out: 'red/0.png' (no such file)" in said.stderr
    Path("photos").rename("moved")
    said = refused("network features net --layer deep", exit_code=3)
    assert "none of 12 images of the run can be read" in said
    assert "--data-root DIR" in said
    ends("network features net --layer deep --channels 0 --data-root moved -q")


@pytest.mark.usefixtures("here")
def test_a_run_without_a_model_is_refused():
    pd.DataFrame({"path": ["a.png"] * 1, "label": ["red"], "pred": ["blue"]}).to_csv("table.csv")
    Path("names.json").write_text(json.dumps(COLOURS))
    ends("import table.csv -o imported --classes names.json -q")
    assert "model" in refused("network features imported", exit_code=3)


@pytest.mark.usefixtures("here")
def test_ctrl_c_leaves_what_was_there_before(monkeypatch):
    ends("network features net --layer deep --channels 0 -q")
    before = contents("net/network")

    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.commands.network.features.command.patches_of", stop)
    ends("network features net --layer deep --channels 1 -q", 130)
    assert contents("net/network") == before


@pytest.mark.usefixtures("here")
def test_two_calls_with_the_same_seed_write_the_same_bytes():
    call = "network features net --channels random:3 --top 4 -q"
    ends(call)
    before = contents("net/network")
    ends(call + " --batch-size 12 --workers 1")
    after = contents("net/network")
    for name in ("features/features.csv", "features/firing.csv", "features/features.json"):
        assert after[name] == before[name], name


@pytest.mark.usefixtures("here")
def test_without_labels_the_classes_are_those_predicted():
    ends("evaluate photos/red --model nets:net -o bare -q --img-size 16")
    said = ends("network features bare --layer deep --channels 0 --json").stdout
    found = json.loads(said)
    assert {row["label_name"] for row in found["features"]} == {None}
    counts = pd.Series([row["pred_name"] for row in found["features"]]).value_counts()
    assert found["firing"][0]["n_top_class"] == counts.iloc[0]


@pytest.mark.usefixtures("here")
def test_copies_of_an_image_count_once():
    shutil.copy("photos/red/0.png", "photos/red/copy.png")
    ends("evaluate photos --model nets:net -o copied -q --img-size 16")
    ends("network features copied --layer stem --channels 0 --top 20 -q")
    assert set(table("firing.csv", FIRING_COLUMNS, run="copied")["n"]) == {12}


@pytest.mark.usefixtures("here")
def test_python_returns_what_was_found():
    result = errlens.network_features("net", layer="deep", channels="0,1", top=2)
    assert repr(result) == "2 channels in 1 layer over 12 images"
    assert list(result.figures) == ["sheets/deep.png"]
    assert "never" not in result._repr_html_()


@pytest.mark.usefixtures("here")
def test_where_a_run_has_errors_its_most_confused_pair_comes_next():
    said = ends("network features net --layer deep --channels 0").stdout
    read = open_run("net").read_predictions(("label_name", "pred_name", "correct"))
    wrong = read.table.to_pandas().query("correct == False")
    pairs = wrong[["label_name", "pred_name"]].apply(lambda pair: "~".join(sorted(pair)), axis=1)
    (line,) = [line for line in said.splitlines() if line.startswith("Next: ")]
    *words, pair = shlex.split(line)
    assert words == ["Next:", "errlens", "network", "features", "net", "--discriminate"]
    assert pairs.value_counts()[pair] == pairs.value_counts().max()
    assert "Next: " not in ends(" ".join([*words[2:], pair])).stdout

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.errors import ErrlensError
from errlens.figures.network.channel_grid import LINE_WIDTH, LINES
from tests.commands.network.activations.conftest import saved_maps
from tests.conftest import ends, refused

MODEL = "--model test_resnet --checkpoint weights.safetensors --img-size 64"
OF_RUN = "network activations run --layer bn1"
LARGE = f"network activations large.png {MODEL} --layer bn1"

pytestmark = pytest.mark.usefixtures("here")


def asked(**options):
    """Ask for the activations of a photo in Python."""
    model = {"model": "test_resnet", "checkpoint": "weights.safetensors", "img_size": 64}
    return errlens.network_activations("large.png", **model, **options)


def test_figures_numbers_and_parameters_of_a_row_are_written_into_the_run():
    said = ends(f"{OF_RUN} --select row:3")
    (folder,) = Path("run/network/activations").glob("bn1__3_*")
    names = {path.name for path in folder.iterdir()}
    assert names == {"grid.png", "channels.png", "channels.csv", "maps.npz", "parameters.json"}
    assert "Layer bn1: 32 channels of 32 x 32 places; its activation: relu" in said.stdout
    maps = saved_maps(folder)["image1_output"]
    table = pd.read_csv(folder / "channels.csv")
    strongest = table.sort_values("rank").iloc[0]
    channel, row, column = np.unravel_index(maps.argmax(), maps.shape)
    assert (strongest["channel"], strongest["row"], strongest["column"]) == (channel, row, column)
    parameters = json.loads((folder / "parameters.json").read_text())
    assert parameters["strongest"][0] == channel
    assert parameters["shape"] == [32, 32, 32]
    assert (parameters["tensors"][0]["low"], parameters["tensors"][0]["high"]) == pytest.approx(
        (maps.min(), maps.max())
    )


def test_before_and_after_stand_side_by_side_on_one_scale():
    found = asked(layer="bn1", activation="both")
    before, after = found.maps["image1_before"], found.maps["image1_after"]
    np.testing.assert_array_equal(np.maximum(before, 0), after)
    parameters = json.loads((found.folder / "parameters.json").read_text())
    ends_of_scale = {(tensor["low"], tensor["high"]) for tensor in parameters["tensors"]}
    assert len(ends_of_scale) == 1
    assert found.channels["stage"].unique().tolist() == ["before", "after"]


def test_two_images_stand_side_by_side_and_a_second_call_keeps_the_first():
    ends(f"{OF_RUN} --select row:3 --select row:5 -q")
    ends("network activations run photos/red/0.png --layer layer1 -q")
    ends(f"{OF_RUN} --select row:3 --select row:5 --signed --scale channel -q")
    folder = Path("run/network/activations")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(
        [*(path.name for path in folder.glob("bn1__3_*__5_*")), "layer1__red_0"]
    )
    table = pd.read_csv(next(folder.glob("bn1__3_*")) / "channels.csv")
    assert table["image"].nunique() == 2


def test_without_a_selection_the_worst_error_is_shown():
    said = json.loads(ends("network activations run --layer bn1 --json").stdout)
    worst = errlens.misclassified("run", no_figures=True).tables.worst.iloc[0]
    assert said["channels"][0]["image"] == worst["path"]
    assert (said["command"], said["layer"]) == ("network activations", "bn1")


def test_channels_are_shown_that_were_named_and_the_strongest_on_request():
    assert list(asked(layer="bn1", channel="14,7-8,7").chosen) == [14, 7, 8]
    found = asked(layer="bn1", channel="14", strongest=2)
    top = found.channels.sort_values("rank")["channel"].tolist()
    assert list(found.chosen) == list(dict.fromkeys([14, *top[:2]]))
    assert len(asked(layer="bn1").chosen) == 3


def test_the_grid_has_the_rows_columns_and_tiles_asked_for():
    folder = asked(layer="bn1", grid="4x8", tile=32).folder
    pixels = np.asarray(Image.open(folder / "grid.png").convert("RGB"))
    between = (pixels == LINES[False]).all(axis=2)
    assert (between.sum(axis=0) > 130).sum() == 9 * LINE_WIDTH
    assert (between.sum(axis=1) > 250).sum() == 5 * LINE_WIDTH
    parameters = json.loads((folder / "parameters.json").read_text())
    assert (parameters["grid"], parameters["tile"]) == ([4, 8], 32)


def test_a_first_layer_shows_its_filters():
    found = asked(layer="conv1.0", strongest=9)
    assert "filters.csv" in found.files
    assert saved_maps(found.folder)["filters"].shape == (16, 3, 3, 3)
    assert len(found.filters) == 16
    assert asked(layer="bn1").filters is None


def test_boxes_are_measured_on_the_photo_and_the_second_is_on_the_second_image():
    found = errlens.network_activations(
        ["large.png", "photos/red/1.png"], model="test_resnet", checkpoint="weights.safetensors",
        img_size=64, layer="bn1", box=["eye=30,10,20,20", "eye=2,2,4,4", "mouth=30,40,10,10"],
    )  # fmt: skip
    by_image = found.boxes.groupby("image")["box"].unique().map(sorted).to_dict()
    assert by_image == {"large.png": ["eye", "mouth"], "photos/red/1.png": ["eye"]}
    left, top, right, bottom = json.loads((found.folder / "parameters.json").read_text())["images"][
        0
    ]["input_box"]
    area = found.boxes[(found.boxes["box"] == "eye") & (found.boxes["image"] == "large.png")]
    assert area["area"].iloc[0] == pytest.approx(400 / ((right - left) * (bottom - top)))


def test_a_larger_input_gives_a_finer_map_and_a_warning():
    said = ends(f"{LARGE} --input-size 96x128")
    assert "Layer bn1: 32 channels of 48 x 64 places" in said.stdout
    assert "fed with 96 x 128 pixels instead of 64 x 64" in " ".join(said.stderr.split())


def test_a_layer_whose_places_see_the_whole_image_is_said():
    said = ends(f"network activations large.png {MODEL} --layer layer4 -q")
    assert said.stderr == ""
    said = ends(f"network activations large.png {MODEL} --layer layer4")
    assert "each place of layer4 sees" in " ".join(said.stderr.split())
    assert "each place" not in ends(LARGE).stderr


def test_a_layer_that_never_fires_is_said():
    Path("dead.py").write_text(DEAD)
    said = ends("network activations large.png --model dead:dead --img-size 32 --layer dead")
    assert "no channel fires in large.png" in said.stderr
    said = ends("network activations large.png --model dead:dead --img-size 32 --layer one")
    assert "1 channel of" in said.stdout
    said = ends("network activations large.png --model dead:dead --img-size 32 --layer twice")
    assert "layer twice runs 2 times in one pass; this is call 2" in " ".join(said.stderr.split())


DEAD = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 1, 3)
        self.twice = nn.Conv2d(1, 1, 3, padding=1)
        self.dead = nn.ReLU()
        self.head = nn.Linear(1, 3)

    def forward(self, x):
        x = self.twice(self.twice(self.one(x)))
        return self.head(self.dead(-x.abs()).mean(dim=(2, 3)))


def dead():
    torch.manual_seed(0)
    return Net()
"""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (f"{OF_RUN} --channel 32", 2, "the layer has 32 channels, 0 to 31"),
        (f"{OF_RUN} --channel 3-99", 2, "the layer has 32 channels, 0 to 31"),
        (f"{OF_RUN} --channel 9-3", 2, "a range goes up"),
        (f"{OF_RUN} --channel first", 2, "'first' is neither a number nor a range"),
        (f"{OF_RUN} --channel=-1", 2, "'-1' is neither a number nor a range"),
        (f"{OF_RUN} --grid 2x2", 2, "--grid 2x2 has 4 tiles for 32 channels"),
        (f"{OF_RUN} --grid 8", 2, "not of the form ROWSxCOLUMNS"),
        (f"{OF_RUN} --grid 0x8", 2, "not of the form ROWSxCOLUMNS"),
        (f"{OF_RUN} --call 2", 2, "layer 'bn1' runs 1 time"),
        (f"{OF_RUN} --input-size 0", 2, "neither N nor HxW"),
        (f"{OF_RUN} --input-size huge", 2, "neither N nor HxW"),
        (f"{OF_RUN} --img-size 96", 2, "a run knows its model: --img-size would change it"),
        (f"{OF_RUN} --box eye=1,2,3", 2, "not of the form NAME=X,Y,W,H"),
        (f"{OF_RUN} --box eye=1,2,0,3", 2, "not of the form NAME=X,Y,W,H"),
        (f"{OF_RUN} --box eye=1,2,nan,3", 2, "not of the form NAME=X,Y,W,H"),
        (f"{OF_RUN} --box =1,2,3,3", 2, "not of the form NAME=X,Y,W,H"),
        (f"{OF_RUN} --box eye=900,2,3,3", 2, "lies where the network sees nothing"),
        (f"{OF_RUN} --box e=1,1,3,3 --box e=1,1,3,3", 2, "more than 1 time"),
        ("network activations run --layer fc", 2, "'fc' has no map of places"),
        ("network activations run --layer layer9", 2, "no layer 'layer9'"),
        ("network activations run --layer global_pool", 2, "no map of places"),
        ("network activations run --layer layer1.0.bn2 --activation after", 2, "has no activation"),
        ("network activations run large.png --select row:1", 2, "for rows of a run"),
        ("network activations run large.png large.png large.png", 2, "3 photos given"),
        ("network activations large.png", 2, "need --model or --checkpoint"),
        (f"network activations {MODEL}", 2, "no photo given"),
        (f"network activations run large.png {MODEL}", 2, "is a run and knows its model"),
        (f"network activations nowhere.png {MODEL}", 3, "photo 'nowhere.png' does not exist"),
        (f"network activations photos {MODEL}", 3, "photo 'photos' is a folder"),
        (f"network activations weights.safetensors {MODEL}", 3, "cannot be shown"),
        ("network activations nowhere", 3, "is no run folder"),
        ("network activations run gone.png", 3, "photo 'gone.png' does not exist"),
        (f"{LARGE} --input-size 1", 3, "none of its layers has a map of places"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(words, code, says):
    assert says in " ".join(refused(words, exit_code=code).split())


def test_a_photo_of_a_run_that_is_gone_or_another_one_is_said():
    photo = Path("photos/red/0.png")
    rows = errlens.open_run("run").predictions.frame
    row = rows.loc[rows["path"] == "red/0.png", "row"].iloc[0]
    photo.write_bytes(Path("photos/red/1.png").read_bytes())
    assert "another file now" in refused(f"{OF_RUN} --select row:{row}", exit_code=3)
    photo.unlink()
    said = refused(f"{OF_RUN} --select row:{row}", exit_code=3)
    assert "--data-root DIR" in said
    assert "is no folder" in refused(f"{OF_RUN} --data-root nowhere", exit_code=2)


def test_a_broken_photo_is_refused():
    Path("broken.png").write_bytes(Path("large.png").read_bytes()[:200])
    assert "cannot be shown" in refused(
        f"network activations broken.png {MODEL} --layer bn1", exit_code=3
    )


def test_in_python_it_returns_tables_and_arrays():
    found = asked(layer="bn1")
    assert found.maps["image1_output"].shape == (32, 32, 32)
    assert set(found.figures) == {"grid.png", "channels.png"}
    assert repr(found) == "<layer 'bn1': 32 channels of 1 image>"
    with pytest.raises(ErrlensError):
        asked(layer="fc")

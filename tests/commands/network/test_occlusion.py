import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.analysis.occlusion.tables import OCCLUSION_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import call, contents, ends, refused

ASKED = "network occlusion seen --select worst:2 --mask 4"
NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.act = nn.ReLU()
        self.head = nn.Linear(6, 3)
        self.num_classes = 3

    def forward(self, images):
        return self.head(self.act(self.conv(images)).mean(dim=(2, 3)))


class Broken(Net):
    def forward(self, images):
        return super().forward(images) * torch.nan


class Detached(Net):
    def forward(self, images):
        return super().forward(images.detach())


def colours(**kwargs):
    return Net()


def broken(**kwargs):
    return Broken()


def detached(**kwargs):
    return Detached()


def flat(**kwargs):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
"""


@pytest.fixture(autouse=True)
def here(photos, monkeypatch):
    """The folder of the photos, with networks."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "hidden_nets", raising=False)
    Path("hidden_nets.py").write_text(NETS)


@pytest.fixture
def seen(here):
    del here
    ends("evaluate photos --model hidden_nets:colours --img-size 16 -o seen -q")
    return Path("seen")


@pytest.fixture
def outlines(seen):
    """A box in the middle of each photo of the run."""
    frame = errlens.open_run(seen).predictions.frame
    known = {}
    for path in frame["path"]:
        with Image.open(Path("photos", path)) as photo:
            width, height = photo.size
        box = [width / 4, height / 4, 3 * width / 4, 3 * height / 4]
        corners = [box[0], box[1], box[2], box[1], box[2], box[3], box[0], box[3]]
        known[path] = {"width": width, "height": height, "polygons": [corners]}
    Path("outlines.json").write_text(json.dumps(known))
    return Path("outlines.json")


def test_a_run_has_a_picture_and_numbers_of_each_image(seen):
    before = contents(seen)
    printed = ends(ASKED).stdout
    assert max(map(len, printed.splitlines())) <= 80
    folder = seen / "network" / "occlusion"
    table = read_declared(folder / "occlusion.csv", OCCLUSION_COLUMNS)
    assert len(table) == 2
    stems = {Path(name).stem for name in table["file"]}
    pictures = {f"{stem}.{kind}" for stem in stems for kind in ("png", "npz")}
    names = {path.name for path in folder.iterdir()}
    assert names == pictures | {"occlusion.csv", "occlusion.json", "made_from.json"}
    assert table["layer"].unique().tolist() == ["act"]
    assert table["object_share"].isna().all()
    said = json.loads((folder / "occlusion.json").read_text())
    assert [image["file"] for image in said["images"]] == table["file"].tolist()
    assert "object" not in " ".join(said["images"][0]["sentences"])
    after = contents(seen)
    assert {name: after[name] for name in before} == before


def test_without_a_square_probabilities_are_those_that_evaluate_found(seen):
    table = errlens.network_occlusion(seen, select="worst:3", mask="4").images
    known = errlens.open_run(seen).predictions.frame.set_index("row").loc[table["row"]]
    np.testing.assert_allclose(table["probability"], known["label_prob"], atol=1e-5)
    np.testing.assert_allclose(table["confidence"], known["confidence"], atol=1e-5)
    assert table["pred_name"].tolist() == known["pred_name"].tolist()


def test_its_falls_are_the_maps_of_explain(seen, outlines):
    how = "--mask 4 --stride 2 --value gray"
    ends(f"network occlusion seen --select worst:2 {how} --masks {outlines} -q")
    ends(
        f"explain seen --select worst:2 --method occlusion --target true --probability --save-maps "
        f"{how} --masks {outlines} -q"
    )
    index = pd.read_csv(seen / "explain/index.csv").set_index("row")
    table = pd.read_csv(seen / "network/occlusion/occlusion.csv")
    for _, image in table.iterrows():
        explained = index.loc[image["row"]]
        with np.load(seen / "explain" / explained["maps_file"]) as maps:
            (known,) = (maps[name] for name in maps if maps[name].ndim == 2)
        with np.load(seen / "network/occlusion" / image["file"].replace("png", "npz")) as arrays:
            at = [*read_names(seen)].index(image["class_name"])
            falls = arrays["unoccluded_probabilities"][at] - arrays["probabilities"][..., at]
        np.testing.assert_allclose(falls, known, atol=1e-6)
        assert image["object_area"] == pytest.approx(explained["object_area"])
        if pd.notna(image["object_share"]):
            assert image["object_share"] == pytest.approx(explained["object_share"], abs=1e-4)


def read_names(run):
    return errlens.open_run(run).info.classes.names


def test_with_outlines_shares_stand_beside_the_area(seen, outlines):
    result = errlens.network_occlusion(seen, select="worst:3", mask="4", masks=outlines)
    area = result.images["object_area"].to_numpy()
    assert ((area > 0.2) & (area < 0.7)).all()
    assert result.images["activity_object_share"].between(0, 1).all()
    assert set(result.evidence) <= {"probability", "predicted class", "activity"}
    assert result.evidence["activity"].area == pytest.approx(area.mean())
    said = ends(f"{ASKED} --masks {outlines}").stdout
    assert "On the object as outlined" in " ".join(said.split())
    assert "% of the falls of the activity lie on the object" in " ".join(said.split())


def test_a_second_call_writes_the_same_bytes_whatever_the_threads(seen):
    del seen
    ends(f"{ASKED} -q -o one --workers 1")
    ends(f"{ASKED} -q -o two --workers 2")
    assert contents("one") == contents("two")


def test_without_a_choice_the_three_worst_errors_are_taken(seen):
    result = errlens.network_occlusion(seen, mask="8")
    worst = errlens.network_occlusion(seen, mask="8", select="worst:3")
    assert result.images["row"].tolist() == worst.images["row"].tolist()
    assert repr(result).startswith("<3 images")
    assert len(result.figures) == 3


def test_a_channel_that_is_named_is_followed(seen):
    del seen
    result = errlens.network_occlusion("seen", select="worst:2", mask="8", channel=2, layer="conv")
    assert result.images["channel"].tolist() == [2, 2]
    assert result.layer == "conv"
    assert "has 6 channels" in refused(f"{ASKED} --channel 6", exit_code=2)


def test_json_says_what_the_table_does(seen):
    printed = json.loads(ends(f"{ASKED} --json").stdout)
    table = pd.read_csv(seen / "network/occlusion/occlusion.csv")
    assert [image["sample_id"] for image in printed["images"]] == table["sample_id"].tolist()
    assert [*printed["sentences"]] == table["sample_id"].tolist()
    assert printed["run_hash"] == errlens.open_run(seen).info.run_hash


def test_photos_without_a_run_follow_the_class_predicted():
    Image.new("L", (9, 7), 40).save("grey.png")
    model = "--model hidden_nets:colours --img-size 16 --mask 4 -o out"
    said = ends(f"network occlusion photos/red/0.png grey.png {model}").stdout
    assert "of the predicted class" in " ".join(said.split())
    assert "Nowhere does the square lower" in " ".join(said.split())  # of a grey photo
    table = pd.read_csv("out/occlusion/occlusion.csv")
    assert table["row"].isna().all()
    assert table["true_label_share"].isna().all()
    assert table["match"].isna()[1]


def test_photos_as_the_network_of_a_run_sees_them_and_of_one_name(seen):
    del seen
    Path("photos/blue/0.png").write_bytes(b"broken")
    files = "photos/red/0.png photos/green/0.png photos/blue/0.png"
    said = ends(f"network occlusion seen {files} --mask 8 -o out")
    assert "left out: 'photos/blue/0.png'" in " ".join(said.stderr.split())
    assert pd.read_csv("out/occlusion/occlusion.csv")["file"].is_unique


def test_a_run_without_labels_follows_the_class_predicted(here):
    del here
    Path("plain").mkdir()
    for number, path in enumerate(sorted(Path("photos").glob("*/*.png"))):
        shutil.copy(path, f"plain/{number}.png")
    Path("classes.txt").write_text("a\nb\nc\n")
    model = "--model hidden_nets:colours --img-size 16 --classes classes.txt"
    ends(f"evaluate plain {model} -o unlabelled -q")
    table = errlens.network_occlusion("unlabelled", mask="8").images
    assert table["row"].tolist() == [0, 1, 2]
    assert (table["class_name"] == table["pred_name"]).all()


def test_a_network_without_gradients_has_patches_alone(here):
    del here
    ends("evaluate photos --model hidden_nets:detached --img-size 16 -o cut -q")
    result = errlens.network_occlusion("cut", mask="8", projection="none")
    assert result.projection is None
    assert result.images["match"].isna().all()


def test_fine_squares_have_no_numbers_in_their_cells_and_all_colours(seen):
    del seen
    ends("network occlusion seen --select row:0 --mask 2 --stride 1 --others 0 --value black -q")
    with np.load(next(Path("seen/network/occlusion").glob("*.npz"))) as arrays:
        assert arrays["label"].shape == (16, 16)
        assert arrays["probabilities"].shape == (16, 16, 3)
        changes = arrays["probabilities"].astype(float) - arrays["unoccluded_probabilities"]
    np.testing.assert_allclose(changes.sum(axis=2), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("seen --mask 99", "must be 1 to 16"),
        ("seen --mask 4 --stride 9", "leaves gaps"),
        ("seen --target puple", "neither a class"),
        ("seen --target top3", "takes one class"),
        ("seen --layer cnv", "no layer 'cnv'"),
        ("seen --layer head", "no map of places"),
        ("seen --masks nothing.json", "nothing.json"),
        ("seen --projection attention", "attention"),
        ("photos/red/0.png", "need --model"),
        ("seen photos/red/0.png --select worst:1", "for rows of a run"),
    ],
)
def test_what_does_not_fit_is_refused_before_long_work(seen, words, message):
    del seen
    said = call(f"network occlusion {words}")
    assert said.exit_code in (2, 3)
    assert said.stdout == ""
    assert message in " ".join(said.stderr.split())
    assert "finding" not in said.stderr


def test_outlines_of_other_images_are_refused(seen):
    del seen
    Path("other.json").write_text('{"x.jpg": {"width": 3, "height": 3}}')
    assert "has nothing of these images" in refused(f"{ASKED} --masks other.json", exit_code=2)


def test_images_that_are_gone_are_told(seen):
    del seen
    shutil.move("photos", "moved")
    assert "--data-root DIR" in refused(ASKED, exit_code=3)
    ends(f"{ASKED} --data-root moved -q")


def test_outputs_that_are_not_finite_are_told(here):
    del here
    model = "--model hidden_nets:broken --img-size 16 -o out"
    assert "not finite" in refused(f"network occlusion photos/red/0.png {model}", exit_code=3)

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from PIL import Image

import errlens
from errlens.analysis.invariance.tables import CLASSES, CURVES
from errlens.run.csv_tables import read_declared
from tests.conftest import contents, ends, refused

ASKED = "network invariance seen --transform rotate,blur"
FILES = {
    "invariance.png", "invariance.csv", "classes.csv", "invariance.npz", "invariance.json",
    "made_from.json",
}  # fmt: skip
NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.head = nn.Linear(6, outputs)
        self.num_classes = outputs

    def forward(self, images):
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


def colours(**kwargs):
    return Net()


def single(**kwargs):
    return Net(outputs=1)


def flat(**kwargs):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
"""


@pytest.fixture(autouse=True)
def here(photos, monkeypatch):
    """The folder of the photos, with networks."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "moved_nets", raising=False)
    Path("moved_nets.py").write_text(NETS)


@pytest.fixture
def seen(here):
    del here
    ends("evaluate photos --model moved_nets:colours --img-size 16 -o seen -q")
    return Path("seen")


def test_a_run_has_a_picture_and_tables_in_a_folder_of_its_own(seen):
    before = contents(seen)
    printed = ends(ASKED).stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert "sizes that ordinary photos have" in printed
    folder = seen / "network" / "invariance"
    assert {path.name for path in folder.iterdir()} == FILES
    curves = read_declared(folder / "invariance.csv", CURVES)
    assert curves["layer"].unique().tolist() == ["conv"]
    assert curves.groupby("transform").size().to_dict() == {"blur": 11, "rotate": 11}
    read_declared(folder / "classes.csv", CLASSES)
    after = contents(seen)
    assert {name: after[name] for name in before} == before


def test_the_identity_has_the_probabilities_that_evaluate_found(seen):
    ends(f"{ASKED} -q")
    with np.load(seen / "network" / "invariance" / "invariance.npz") as arrays:
        rows, probability, distance = (arrays[key] for key in ("rows", "probability", "euclidean"))
        pred = arrays["pred"]
    known = errlens.open_run(seen).predictions.frame.set_index("row").loc[rows]
    steps = json.loads((seen / "network/invariance/invariance.json").read_text())["steps"]
    unchanged = [steps.index([*step]) for step in (("rotate", 0), ("rotate", 360), ("blur", 0))]
    for at in unchanged:
        np.testing.assert_allclose(probability[:, at], known["label_prob"], atol=1e-5)
        np.testing.assert_array_equal(pred[:, at], known["pred"])
        assert (distance[:, at] == 0).all()


def test_a_second_call_writes_the_same_bytes_whatever_the_threads(seen):
    del seen
    ends(f"{ASKED} -q -o one --workers 1")
    ends(f"{ASKED} -q -o two --workers 2")
    assert contents("one") == contents("two")


def test_a_sample_has_of_each_class_as_many(seen):
    result = errlens.network_invariance(seen, transform=["blur"], limit=6, seed=3)
    assert result.answers.label.tolist() == [0, 0, 1, 1, 2, 2]
    assert repr(result) == "<6 images, 1 transform: blur costs most>"
    assert [*result.figures] == ["invariance.png"]
    assert result.classes["n"].tolist() == [2, 2, 2]


def test_selected_images_are_all_taken(seen):
    result = errlens.network_invariance(seen, transform="blur", select=["true:red", "row:0"])
    expected = errlens.open_run(seen).predictions.frame.query("label_name == 'red' or row == 0")
    with np.load(result.folder / "invariance.npz") as arrays:
        assert sorted(arrays["rows"]) == expected["row"].tolist()


def test_json_says_what_the_tables_do(seen):
    printed = json.loads(ends(f"{ASKED} --json").stdout)
    curves = pd.read_csv(seen / "network/invariance/invariance.csv")
    assert len(printed["curves"]) == len(curves) == 22
    assert printed["layers"] == ["conv"]
    assert printed["run_hash"] == errlens.open_run(seen).info.run_hash


def test_photos_without_a_run_follow_the_class_predicted():
    Image.new("L", (9, 7), 40).save("grey.png")
    words = "--model moved_nets:colours --img-size 16 --transform hue,blur -o out"
    said = ends(f"network invariance photos/red/0.png grey.png {words}")
    assert "class predicted" in said.stdout
    with np.load("out/invariance/invariance.npz") as arrays:
        hue = arrays["euclidean"][1, :11]
        assert (arrays["rows"] == -1).all()
    assert (hue == 0).all()  # of a grey photo it changes nothing
    table = pd.read_csv("out/invariance/invariance.csv")
    assert table["accuracy"].isna().all()
    assert not len(pd.read_csv("out/invariance/classes.csv"))


def test_one_photo_as_the_network_of_a_run_sees_it(seen):
    del seen
    ends("network invariance seen photos/red/0.png --transform scale -q -o out")
    table = pd.read_csv("out/invariance/invariance.csv")
    assert table["n"].unique().tolist() == [1]
    assert table["euclidean_std"].isna().all()


def test_photos_of_one_name_are_told_apart(seen):
    del seen
    Path("photos/red/0.png").write_bytes(b"broken")
    Path("photos/blue/0.png").write_bytes(b"broken, too")
    asked = ("photos/red/0.png", "photos/blue/0.png", "photos/green/0.png")
    ends(f"network invariance seen {' '.join(asked)} --transform scale -q -o out")
    written = json.loads(Path("out/invariance/invariance.json").read_text())
    assert sorted(written["unread"]) == sorted(asked[:2])
    assert written["images"] == [asked[2]]


def test_a_run_without_labels_follows_the_class_predicted(here):
    del here
    Path("plain").mkdir()
    for number, path in enumerate(sorted(Path("photos").glob("*/*.png"))):
        shutil.copy(path, f"plain/{number}.png")
    classes = Path("classes.txt")
    classes.write_text("a\nb\nc\n")
    model = f"--model moved_nets:colours --img-size 16 --classes {classes}"
    ends(f"evaluate plain {model} -o unlabelled -q")
    said = ends("network invariance unlabelled --transform blur")
    assert "of the class predicted" in " ".join(said.stdout.split())
    assert pd.read_csv("unlabelled/network/invariance/invariance.csv")["accuracy"].isna().all()


def test_a_network_of_one_channel_has_no_hue(here):
    del here
    torch.manual_seed(0)
    grey = timm.create_model("test_resnet", num_classes=3, in_chans=1)
    torch.save(grey.state_dict(), "grey.pth")
    model = "--model test_resnet --checkpoint grey.pth --model-kwargs in_chans=1 --img-size 32"
    ends(f"evaluate photos {model} -o grey -q")
    said = ends("network invariance grey --limit 2")
    assert "hue is left out" in " ".join(said.stderr.split())
    assert len(pd.read_csv("grey/network/invariance/invariance.csv")) == 2 * 88
    assert "is fed no colours" in refused("network invariance grey --transform hue", exit_code=2)


def test_a_network_of_one_output_tells_two_classes_apart(here):
    del here
    shutil.rmtree("photos/blue")
    ends("evaluate photos --model moved_nets:single -o single -q --img-size 16")
    ends("network invariance single --transform blur -q")
    curves = pd.read_csv("single/network/invariance/invariance.csv")
    known = errlens.open_run("single").predictions.frame["label_prob"]
    assert curves["probability_mean"].iloc[0] == pytest.approx(known.mean(), abs=1e-5)


def test_images_that_are_gone_are_told(seen):
    Path("photos/red/0.png").unlink()
    said = ends(ASKED)
    assert "left out: 'red/0.png'" in " ".join(said.stderr.split())
    shutil.move("photos", "elsewhere")
    assert "--data-root DIR" in refused(ASKED, exit_code=3)
    ends(f"{ASKED} --data-root elsewhere -q")
    assert {path.name for path in (seen / "network/invariance").iterdir()} == FILES


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        ("network invariance seen --transform rotat", 2, "did you mean rotate"),
        ("network invariance seen --layer conf", 2, "did you mean conv"),
        ("network invariance seen --model moved_nets:colours", 2, "knows its model"),
        ("network invariance seen --img-size 20", 2, "--img-size would change it"),
        ("network invariance seen gone.png", 3, "gone.png"),
        ("network invariance seen photos/red/0.png --select errors", 2, "--select is for rows"),
        ("network invariance seen photos/red/0.png --limit 3", 2, "--limit is for rows of a run"),
        ("network invariance photos/red/0.png", 2, "need --model"),
        ("network invariance --model moved_nets:colours", 2, "no photo given"),
        ("network invariance photos/red/0.png --model moved_nets:flat --img-size 16", 3, "map of"),
        ("network invariance nowhere", 3, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused(seen, words, exit_code, says):
    del seen
    assert says in " ".join(refused(words, exit_code=exit_code).split())


def test_an_imported_run_has_no_model(seen):
    frame = errlens.open_run(seen).predictions.frame
    frame[["path", "label_name", "pred_name"]].to_csv("table.csv", index=False)
    ends("import table.csv --label-column label_name --pred-column pred_name -o got -q")
    said = refused("network invariance got", exit_code=3)
    assert "has no model" in " ".join(said.split())


def test_a_failed_call_keeps_what_was_there(seen):
    ends(f"{ASKED} -q")
    before = contents(seen)
    shutil.rmtree("photos")
    refused(ASKED, exit_code=3)
    assert contents(seen) == before


def test_a_block_of_a_configuration_looks_at_the_run_made(here):
    del here
    Path("chain.yaml").write_text(
        "out: made\n"
        "evaluate: {data: photos, model: 'moved_nets:colours', img_size: 16}\n"
        "network_invariance: {transform: blur, limit: 3}\n"
    )
    said = ends("run chain.yaml")
    assert "3 images, 1 transform: blur costs most" in said.stdout
    assert {path.name for path in Path("made/network/invariance").iterdir()} == FILES

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
from errlens.analysis.correspondence.tables import ALIKE, PARTS
from errlens.run.csv_tables import read_declared
from tests.conftest import contents, ends, refused

ASKED = "network correspondence seen --parts parts.csv --random 4 --permutations 49"
FILES = {
    "correspondence.png", "hidden.png", "correspondence.csv", "parts.csv", "correspondence.npz",
    "correspondence.json", "made_from.json",
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
"""


@pytest.fixture(autouse=True)
def here(photos, monkeypatch):
    """The folder of the photos, with networks and boxes of two parts."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "part_nets", raising=False)
    Path("part_nets.py").write_text(NETS)
    random = np.random.default_rng(0)
    rows = []
    for path in sorted(Path("photos").glob("*/*.png")):
        pixels = random.integers(0, 256, (10, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        name = path.relative_to("photos").as_posix()
        rows.append((name, "nose", 1, 2, 4, 3))
        if path.parent.name != "blue":
            rows.append((name, "ear", 6, 5, 3, 3))
    table = pd.DataFrame(rows, columns=["path", "part", "x", "y", "width", "height"])
    table.to_csv("parts.csv", index=False)


@pytest.fixture
def seen(here):
    del here
    ends("evaluate photos --model part_nets:colours --img-size 16 -o seen -q")
    return Path("seen")


def test_a_run_has_pictures_and_tables_in_a_folder_of_its_own(seen):
    before = contents(seen)
    printed = ends(ASKED).stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert "elsewhere in the photo" in " ".join(printed.split())
    folder = seen / "network" / "correspondence"
    assert {path.name for path in folder.iterdir()} == FILES
    layers = read_declared(folder / "correspondence.csv", ALIKE)
    assert layers.groupby("part").size().to_dict() == {"ear": 3, "nose": 3}
    assert set(layers["layer"]) == {"conv", "penultimate"}
    parts = read_declared(folder / "parts.csv", PARTS).set_index("part")
    n = len(errlens.open_run(seen).predictions.frame)
    assert parts["n"].to_dict() == {"nose": n, "ear": 2 * n // 3}
    after = contents(seen)
    assert {name: after[name] for name in before} == before
    for picture in folder.glob("*.png"):
        with Image.open(picture) as drawn:
            assert min(drawn.size) > 150


def test_single_images_have_boxes_and_probabilities(seen):
    ends(f"{ASKED} -q")
    folder = seen / "network" / "correspondence"
    known = json.loads((folder / "correspondence.json").read_text())
    with np.load(folder / "correspondence.npz") as arrays:
        part, row, boxes, probability, distance = (
            arrays[key] for key in ("part", "row", "boxes", "probability", "distance")
        )
    named = [name["part"] for name in known["parts"]]
    assert named == ["nose", "ear"]
    assert (np.bincount(part) == [len(name["images"]) for name in known["parts"]]).all()
    frame = errlens.open_run(seen).predictions.frame.set_index("row").loc[row]
    np.testing.assert_allclose(probability[:, 0], frame["label_prob"], atol=1e-5)
    assert boxes.shape == (len(part), 5, 4)
    layers = pd.read_csv(folder / "correspondence.csv")
    assert distance.shape[1] == len(known["units"]) == 3
    for number, name in enumerate(named):
        expected = layers[layers["part"] == name]["distance"]
        np.testing.assert_allclose(distance[part == number].mean(axis=0), expected)


def test_a_second_call_writes_the_same_bytes_whatever_the_threads(seen):
    del seen
    ends(f"{ASKED} -q -o one --workers 1")
    ends(f"{ASKED} -q -o two --workers 2")
    assert contents("one") == contents("two")
    ends(f"{ASKED} -q -o three --seed 1")
    assert contents("one") != contents("three")


def test_images_with_parts_alone_are_drawn(seen):
    table = pd.read_csv("parts.csv")
    table[table["part"] == "ear"].to_csv("ears.csv", index=False)
    result = errlens.network_correspondence(seen, parts="ears.csv", limit=4, random=3)
    (ear,) = result.changes.parts
    assert len(ear) == 4
    with np.load(result.folder / "correspondence.npz") as arrays:
        labels = errlens.open_run(seen).predictions.frame.set_index("row")["label_name"]
        assert sorted(labels.loc[arrays["row"]]) == ["green", "green", "red", "red"]
    assert repr(result).startswith("<ear of 4 images: ")
    assert [*result.figures] == ["correspondence.png", "hidden.png"]


def test_regions_lie_in_outlines_and_the_text_says_so(seen):
    square = [0, 0, 11, 0, 11, 9, 0, 9]
    photos = sorted(
        path.relative_to("photos").as_posix() for path in Path("photos").glob("*/*.png")
    )
    outline = {"width": 12, "height": 10, "polygons": [square], "part_box": [1, 1, 5, 5]}
    Path("outlines.json").write_text(json.dumps(dict.fromkeys(photos, outline)))
    said = ends(f"{ASKED} --masks outlines.json".replace("parts.csv", "outlines.json"))
    assert "elsewhere in the object" in " ".join(said.stdout.split())
    parts = pd.read_csv(seen / "network/correspondence/parts.csv")
    assert parts["part"].tolist() == ["part"]
    assert (parts["outlined"] == parts["n"]).all()
    little = {**outline, "polygons": [[1, 1, 4, 1, 4, 4, 1, 4]]}
    Path("outlines.json").write_text(json.dumps(dict.fromkeys(photos, little)))
    said = refused(
        f"{ASKED} --masks outlines.json".replace("parts.csv", "outlines.json"), exit_code=3
    )
    assert "parts: no room elsewhere" in " ".join(said.split())


def test_json_says_what_the_tables_do(seen):
    printed = json.loads(ends(f"{ASKED} --json").stdout)
    layers = pd.read_csv(seen / "network/correspondence/correspondence.csv")
    assert len(printed["layers"]) == len(layers) == 6
    assert printed["parts"][0]["part"] == "nose"
    assert printed["run_hash"] == errlens.open_run(seen).info.run_hash


def test_photos_without_a_run_follow_the_class_predicted():
    given = "photos/red/0.png photos/red/1.png photos/green/0.png"
    words = "--model part_nets:colours --img-size 16 --parts parts.csv --random 3 -o out"
    said = ends(f"network correspondence {given} {words}")
    assert "class predicted" in " ".join(said.stdout.split())
    with np.load("out/correspondence/correspondence.npz") as arrays:
        assert (arrays["row"] == -1).all()


def test_photos_as_the_network_of_a_run_sees_them(seen):
    del seen
    ends(f"{ASKED} photos/red/0.png photos/red/1.png -q -o out".replace("seen", "seen", 1))
    assert pd.read_csv("out/correspondence/parts.csv")["n"].tolist() == [2, 2]


def test_a_network_of_one_channel_and_one_of_one_output(here):
    del here
    torch.manual_seed(0)
    grey = timm.create_model("test_resnet", num_classes=3, in_chans=1)
    torch.save(grey.state_dict(), "grey.pth")
    model = "--model test_resnet --checkpoint grey.pth --model-kwargs in_chans=1 --img-size 32"
    ends(f"evaluate photos {model} -o grey -q")
    ends(f"{ASKED} -q".replace("seen", "grey"))
    assert len(pd.read_csv("grey/network/correspondence/correspondence.csv")) > 8
    shutil.rmtree("photos/blue")
    ends("evaluate photos --model part_nets:single -o single -q --img-size 16")
    ends(f"{ASKED} -q".replace("seen", "single"))


def test_images_that_are_gone_or_cropped_are_told(seen):
    Path("photos/red/0.png").unlink()
    table = pd.read_csv("parts.csv")
    table.loc[table["path"] == "red/1.png", "x"] = 40
    table.to_csv("parts.csv", index=False)
    said = " ".join(ends(ASKED).stderr.split())
    assert "left out: 'red/0.png' (no such file)" in said
    assert (
        "left out: 1 image whose nose lies for more than half outside of what the network sees"
        in said
    )
    assert {path.name for path in (seen / "network/correspondence").iterdir()} == FILES


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        ("network correspondence seen", 2, "--parts FILE is needed"),
        ("network correspondence seen --parts gone.csv", 3, "gone.csv"),
        ("network correspondence seen --parts part_nets.py", 3, "cannot be read as JSON"),
        (f"{ASKED} --layer conf", 2, "did you mean conv"),
        (f"{ASKED} --model part_nets:colours", 2, "knows its model"),
        (f"{ASKED} --masks gone.json", 3, "gone.json"),
        (f"{ASKED} --random 0", 2, "--random"),
        (f"{ASKED} --permutations 3", 2, "--permutations"),
        (f"{ASKED} --random 1000", 3, "no part is left in two images"),
        (f"{ASKED} --select row:0", 3, "no part is left in two images"),
        (f"{ASKED} photos/red/0.png --limit 3", 2, "--limit is for rows of a run"),
        ("network correspondence photos/red/0.png --parts parts.csv", 2, "need --model"),
        ("network correspondence nowhere --parts parts.csv", 3, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused(seen, words, exit_code, says):
    del seen
    assert says in " ".join(refused(words, exit_code=exit_code).split())


def test_a_transform_of_ones_own_puts_parts_where_nobody_knows(here):
    del here
    Path("part_own.py").write_text(
        "import torch\nimport numpy as np\n\n\ndef prepare(image):\n"
        "    pixels = np.array(image.resize((16, 16)), np.float32) / 255\n"
        "    return torch.from_numpy(pixels).permute(2, 0, 1)\n"
    )
    ends("evaluate photos --model part_nets:colours --transform part_own:prepare -o seen -q")
    assert "transform of one's own" in " ".join(refused(ASKED, exit_code=2).split())


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
        "evaluate: {data: photos, model: 'part_nets:colours', img_size: 16}\n"
        "network_correspondence: {parts: parts.csv, random: 3, permutations: 19}\n"
    )
    ends("run chain.yaml")
    assert {path.name for path in Path("made/network/correspondence").iterdir()} == FILES

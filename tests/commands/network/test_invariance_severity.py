"""`errlens network invariance --severity`."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from PIL import Image

import errlens
from errlens.analysis.invariance.severities import CORRUPTIONS, DISTANCES, SEVERITIES
from errlens.data.photos.corruptions.kinds import Corruption
from errlens.run.csv_tables import read_declared
from tests.conftest import contents, ends, refused

ASKED = "network invariance seen --severity 1,5 --transform gaussian_noise,pixelate"
FILES = {
    "severity.png", "severity.csv", "corruptions.csv", "distances.csv", "severity.npz",
    "severity.json", "made_from.json",
}  # fmt: skip
NETS = """
import torch
from torch import nn


def colours(**kwargs):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(6, 3),
    )
    net.num_classes = 3
    return net
"""


@pytest.fixture(autouse=True)
def seen(photos, monkeypatch):
    """A run, in the folder of the photos."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "corrupted_nets", raising=False)
    Path("corrupted_nets.py").write_text(NETS)
    ends("evaluate photos --model corrupted_nets:colours --img-size 16 -o seen -q")
    return Path("seen")


def test_a_run_has_a_picture_and_tables_beside_those_of_transforms(seen):
    ends("network invariance seen --transform blur -q")
    before = contents(seen / "network/invariance")
    printed = ends(ASKED).stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert "Mean corruption error, of 2 corruptions at 2 severities" in " ".join(printed.split())
    folder = seen / "network/severity"
    assert {path.name for path in folder.iterdir()} == FILES
    severities = read_declared(folder / "severity.csv", SEVERITIES)
    assert severities["corruption"].tolist() == [
        "clean",
        *2 * ["gaussian_noise"],
        *2 * ["pixelate"],
    ]
    assert severities["severity"].tolist() == [0, 1, 5, 1, 5]
    assert len(read_declared(folder / "corruptions.csv", CORRUPTIONS)) == 2
    assert len(read_declared(folder / "distances.csv", DISTANCES)) == 2 * 5
    assert contents(seen / "network/invariance") == before


def test_clean_images_are_as_evaluate_found_them(seen):
    ends(f"{ASKED} -q")
    severities = pd.read_csv(seen / "network/severity/severity.csv")
    clean = severities.iloc[0]
    metrics = json.loads((seen / "metrics.json").read_text())
    assert clean["accuracy"] == pytest.approx(metrics["top1"]["value"])
    assert clean["low"] == pytest.approx(metrics["top1"]["low"])
    assert clean["same_prediction"] == 1
    distances = pd.read_csv(seen / "network/severity/distances.csv")
    is_clean = distances["corruption"] == "clean"
    assert (distances[is_clean]["euclidean_mean"] == 0).all()
    assert (distances[~is_clean]["euclidean_mean"] > 0).all()


def test_a_second_call_writes_the_same_bytes_whatever_threads_and_batches(seen):
    del seen
    ends(f"{ASKED} -q -o one --workers 1 --batch-size 1")
    ends(f"{ASKED} -q -o two --workers 2 --batch-size 1")
    assert contents("one") == contents("two")
    ends(f"{ASKED} -q -o large --workers 2 --batch-size 64")
    with np.load("one/severity/severity.npz") as one, np.load("large/severity/severity.npz") as two:
        np.testing.assert_array_equal(one["pred"], two["pred"])
        np.testing.assert_allclose(one["probability"], two["probability"], atol=1e-6)
    ends(f"{ASKED} -q -o other --workers 1 --batch-size 1 --seed 1")
    one, other = (Path(name, "severity/distances.csv").read_text() for name in ("one", "other"))
    assert one != other


def test_the_noise_of_an_image_is_that_of_itself_alone(seen):
    """Whatever other images are asked about."""
    ends(f"{ASKED} -q -o all")
    ends(f"{ASKED} -q -o some --select row:3")
    with np.load("all/severity/severity.npz") as one, np.load("some/severity/severity.npz") as two:
        (at,) = np.flatnonzero(one["rows"] == 3)
        np.testing.assert_allclose(one["euclidean"][at], two["euclidean"][0], atol=1e-4)
    del seen


def test_all_is_fifteen_corruptions_at_five_severities(seen):
    result = errlens.network_invariance(seen, severity="all", limit=3)
    assert len(result.severities) == 1 + 15 * 5
    assert result.cost.corrupted.value == pytest.approx(result.corruptions["error"].mean())
    errors = 1 - result.severities.query("severity > 0")["accuracy"]
    assert result.cost.corrupted.value == pytest.approx(errors.mean())
    assert result.cost.more.value == pytest.approx(
        errors.mean() - (1 - result.severities["accuracy"].iloc[0])
    )
    assert result.corruptions["error"].is_monotonic_decreasing
    assert [*result.figures] == ["severity.png"]
    assert repr(result).startswith("<3 images, 15 corruptions: ")


def test_one_severity_may_be_a_number_in_python(seen):
    result = errlens.network_invariance(seen, severity=3, transform="fog", limit=3)
    assert result.severities["severity"].tolist() == [0, 3]
    result = errlens.network_invariance(seen, severity=[2, 1], transform=["saturate"], limit=3)
    assert result.severities["severity"].tolist() == [0, 1, 2]


def test_json_says_what_the_tables_do(seen):
    printed = json.loads(ends(f"{ASKED} --json").stdout)
    corruptions = pd.read_csv(seen / "network/severity/corruptions.csv")
    assert [row["corruption"] for row in printed["corruptions"]] == corruptions[
        "corruption"
    ].tolist()
    assert printed["mean_corruption_error"]["value"] == pytest.approx(corruptions["error"].mean())


def test_photos_without_labels_say_whether_the_prediction_stays():
    Image.new("L", (9, 7), 40).save("grey.png")
    words = "--model corrupted_nets:colours --img-size 16 --severity 2 --transform fog,snow -o out"
    said = " ".join(ends(f"network invariance photos/red/0.png grey.png {words}").stdout.split())
    assert "of the predictions are others than of the clean images" in said
    table = pd.read_csv("out/severity/severity.csv")
    assert table["accuracy"].isna().all()
    assert table["same_prediction"].notna().all()


def test_a_network_of_one_channel_has_no_saturation():
    torch.manual_seed(0)
    grey = timm.create_model("test_resnet", num_classes=3, in_chans=1)
    torch.save(grey.state_dict(), "grey.pth")
    model = "--model test_resnet --checkpoint grey.pth --model-kwargs in_chans=1 --img-size 32"
    ends(f"evaluate photos {model} -o grey -q")
    ends("network invariance grey --severity all --limit 2 -q")
    table = pd.read_csv("grey/network/severity/severity.csv")
    assert len(table) == 76
    assert (pd.read_csv("grey/network/severity/distances.csv")["n"] == 2).all()
    asked = "network invariance grey --severity 1 --transform saturate"
    assert "is fed no colours" in refused(asked, exit_code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--severity 6", "of 1 to 5"),
        ("--severity al", "--severity 'al': it is all"),
        ("--severity all,", "--severity 'all,': it is all"),
        ("--severity ,", "it is all"),
        ("--severity all --transform gausian_noise", "did you mean gaussian_noise"),
        ("--severity all --transform rotate", "rotate is a transform, which has no severities"),
        ("--severity all --transform ,", "--transform names no corruption"),
        ("--transform ,", "--transform names no transform"),
        ("--transform fog", "--transform fog --severity all"),
    ],
)
def test_what_cannot_be_done_is_refused(words, says):
    said = " ".join(refused(f"network invariance seen {words}", exit_code=2).split())
    assert says in said


def test_a_block_of_a_configuration_corrupts_photos_of_the_run_made():
    Path("chain.yaml").write_text(
        "out: made\n"
        "evaluate: {data: photos, model: 'corrupted_nets:colours', img_size: 16}\n"
        "network_invariance: {severity: '1,2', transform: fog, limit: 3}\n"
    )
    ends("run chain.yaml")
    assert {path.name for path in Path("made/network/severity").iterdir()} == FILES


def test_a_corruption_that_leaves_nothing_leaves_one_answer_and_one_that_does_nothing_all(
    seen, monkeypatch
):
    monkeypatch.setattr(Corruption, "apply", blackened)
    result = errlens.network_invariance(seen, severity=[1, 5], transform=["fog", "snow"])
    of_fog, of_snow = (result.answers.of(name) for name in ("fog", "snow"))
    assert result.answers.pred[:, of_snow].std() == 0
    error = result.corruptions.set_index("corruption")["error"]
    assert error["fog"] == result.cost.clean.value
    assert error["snow"] == pytest.approx(2 / 3)  # of three classes with as many images
    assert (result.answers.euclidean[:, of_fog] == 0).all()


def blackened(self, picture, severity, *, seed=0):
    del severity, seed
    return Image.new(picture.mode, picture.size) if self.name == "snow" else picture

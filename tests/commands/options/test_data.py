from pathlib import Path

import pytest

from errlens.commands.options.data import default_run
from errlens.run.places import SPLIT_NAMES


@pytest.mark.parametrize(
    ("data", "model", "expected"),
    [
        ("photos", "resnet18", "photos-resnet18"),
        ("pets/val", "resnet18", "pets-val-resnet18"),
        ("pets/Test", "resnet18", "pets-Test-resnet18"),
        ("lists/val.csv", "resnet18", "val-resnet18"),
        ("my photos", "torchvision:resnet18", "my_photos-torchvision_resnet18"),
        ("photos", "hf-hub:timm/a.b", "photos-hf-hub_timm_a.b"),
        ("/", "m", "m"),
    ],
)
def test_a_run_without_a_name_is_called_after_data_and_model(data, model, expected):
    assert default_run(Path(data), model) == Path("runs", expected)


@pytest.mark.parametrize("split", sorted(SPLIT_NAMES))
def test_a_folder_called_after_a_split_takes_the_name_above_it(split, tmp_path, monkeypatch):
    (tmp_path / "pets" / split).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "pets" / split)
    assert default_run(Path(), "m") == Path("runs", f"pets-{split}-m")


def test_a_folder_has_the_same_name_from_wherever_it_is_reached(tmp_path, monkeypatch):
    for split in ("train", "val"):
        (tmp_path / "pets" / split).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "pets" / "train")
    assert default_run(Path("../val"), "m") == Path("runs", "pets-val-m")


def test_two_versions_of_a_folder_do_not_share_a_run(tmp_path):
    for name in ("photos.v1", "photos.v2"):
        (tmp_path / name).mkdir()
    assert default_run(tmp_path / "photos.v1", "m") != default_run(tmp_path / "photos.v2", "m")

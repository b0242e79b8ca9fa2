"""Hints about data sets that torchvision knows by name."""

import sys
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.data.data_sets import cifar, eurosat, flowers, pets
from tests.hints.walking import IN_PHOTOS, Walk, moved_away

pytestmark = IN_PHOTOS
SETS = "data.torchvision_sets"
ON = "--model tiny:colours --allow-unknown -o new -q"
PETS = "torchvision:OxfordIIITPet"


def test_the_folder_of_the_files_is_named(walk: Walk):
    pets(Path("data"))
    said = walk.refused(f"evaluate {PETS} {ON}", f"{SETS}.torchvision_samples:hint")
    assert "--root DIR" in said.hint
    walk.ends(f"evaluate {PETS} --root data {ON}")


def test_a_misspelt_name_leads_to_the_right_one(walk: Walk):
    pets(Path("data"))
    typed = f"evaluate torchvision:OxfordPets --root data {ON}"
    said = walk.refused(typed, "errors.usage.UnknownDataSet.__init__:hint")
    walk.ends(f"evaluate torchvision:{said.near()[0]} --root data {ON}")


def test_a_split_that_is_not_there_leads_to_those_that_are(walk: Walk):
    pets(Path("data"))
    at = f"{SETS}._no_such_split:text"
    said = walk.call(f"evaluate {PETS} --root data --split val {ON}")
    assert "--split must be one of 'trainval', 'test'" in said.stderr, at
    walk.ends(f"evaluate {PETS} --root data --split test {ON}")


def test_files_that_are_not_there_are_fetched_or_put_there(walk: Walk):
    walk.monkeypatch.setattr("urllib.request.urlopen", offline)
    typed = f"evaluate {PETS} --root data {ON}"
    said = walk.refused(typed, f"{SETS}._explained:hint2")
    assert "--download" in said.hint, f"{SETS}._explained:text"
    said = walk.refused(f"{typed} --download", f"{SETS}._explained:hint2")
    assert "put its files there yourself" in said.hint
    pets(Path("data"))
    walk.ends(typed)


def offline(*_arguments: object, **_named: object) -> None:
    raise URLError("offline")


def test_what_torchvision_cannot_fetch_is_put_there(walk: Walk):
    typed = f"evaluate torchvision:FER2013 --root data --download {ON}"
    said = walk.refused(typed, f"{SETS}._load:hint")
    assert str(Path("data").absolute()) in said.hint
    said = walk.refused(typed.replace(" --download", ""), f"{SETS}._explained:hint2")
    assert str(Path("data").absolute()) in said.hint


def test_splits_of_a_set_without_any_are_left_out(walk: Walk):
    eurosat(Path("data"))
    said = walk.refused(
        f"evaluate torchvision:EuroSAT --root data --split test {ON}", f"{SETS}._load:hint2"
    )
    assert "leave --split out" in said.hint
    walk.ends(f"evaluate torchvision:EuroSAT --root data --classes names.txt {ON}")


def test_a_package_that_is_missing_is_installed(walk: Walk):
    flowers(Path("data"), walk.monkeypatch)
    typed = f"evaluate torchvision:Flowers102 --root data --classes names.txt {ON}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "scipy.io", None)
        said = walk.refused(typed, f"{SETS}._explained:hint")
        assert "pip install scipy" in said.hint
    walk.ends(typed)


def test_images_that_are_no_files_are_kept_where_the_hint_says(walk: Walk):
    cifar(Path("data"), walk.monkeypatch)
    Path("data/errlens").write_text("in the way")
    typed = f"evaluate torchvision:CIFAR10 --root data --classes names.txt {ON}"
    said = walk.refused(typed, "data.dataset_files.write_images:hint")
    assert "below --root" in said.hint, "data.dataset_files:text"
    moved_away("data/errlens")
    walk.ends(typed)

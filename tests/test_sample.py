import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

import errlens
from tests.conftest import REPOSITORY, contents

PETS = REPOSITORY / "sample_data" / "pets"
WEIGHTS = "tf_efficientnet_lite0.pets.safetensors"
OUTLINES = json.loads((PETS / "outlines.json").read_text(encoding="utf-8"))


def test_two_in_three_photos_are_right(sample):
    top1 = sample.run.metrics["top1"]
    assert (round(top1["value"] * top1["n"]), top1["n"]) == (126, 185)


def test_the_sample_goes_from_predictions_to_a_page_and_its_gates_pass(sample):
    folder = sample.run.path
    gates = json.loads((folder / "gates.json").read_text(encoding="utf-8"))["gates"]
    assert len(gates) == 3
    assert all(gate["passed"] for gate in gates)
    written = contents(folder)
    wanted = ("confusion/matrix.png", "misclassified/worst.csv", "explain/index.csv", "junit.xml")
    assert {*wanted, "report.html", "summary.md"} <= written.keys()
    repairs = pd.read_csv(folder / "diagnosis" / "repairs.csv")
    assert (~repairs["correct"]).sum() == 40
    assert pd.read_csv(folder / "diagnosis" / "places.csv")["n_errors"].eq(40).all()
    found = json.loads((folder / "diagnosis" / "findings.json").read_text(encoding="utf-8"))
    assert not any(search["part"] for search in found["searches"])  # it is done whole, always
    explained = pd.read_csv(folder / "explain" / "index.csv")
    assert explained["row"].nunique() == 12
    assert explained["head_share"].between(0, 1).all()
    assert explained.groupby("row")["object_share"].first().count() >= 8


def test_half_precision_costs_no_prediction(sample, real_data, tmp_path):
    single = errlens.evaluate(
        PETS / "val",
        model="tf_efficientnet_lite0",
        checkpoint=real_data / "models" / WEIGHTS,
        out=tmp_path / "run",
    )
    columns = ["path", "pred", "label", "confidence"]
    ours, theirs = (run.predictions.frame[columns] for run in (sample.run, single))
    assert len(ours) == 185
    assert not ours["confidence"].equals(theirs["confidence"])  # they are other weights
    pd.testing.assert_frame_equal(ours, theirs, atol=5e-3)


def test_the_script_gives_what_is_beside_it(real_data, tmp_path):
    spec = importlib.util.spec_from_file_location("make", PETS / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    make.main(real_data / "data" / "pets", real_data / "models" / WEIGHTS, tmp_path)
    by_hand = {"SOURCE.md", "APACHE-2.0.txt", "make.py"}
    committed = contents(PETS)
    written = contents(tmp_path)
    assert {name for name in committed if "__pycache__" not in name} - by_hand == written.keys()
    assert [name for name, data in written.items() if data != committed[name]] == []


def test_photos_are_small_and_of_all_breeds_in_equal_numbers():
    photos = sorted(PETS.glob("val/*/*.jpg"))
    breeds = pd.read_csv(PETS / "superclasses.csv")["class_name"]
    assert pd.Series([photo.parent.name for photo in photos]).value_counts().to_dict() == (
        dict.fromkeys(breeds, 5)
    )
    for photo in photos:
        with Image.open(photo) as image:
            assert min(image.size) <= 320


@pytest.mark.parametrize("breed", sorted({name.partition("/")[0] for name in OUTLINES}))
def test_outlines_lie_in_their_photos_and_hold_the_head(breed):
    for photo in sorted((PETS / "val" / breed).glob("*.jpg")):
        outline = OUTLINES[f"{breed}/{photo.name}"]
        with Image.open(photo) as image:
            assert image.size == (outline["width"], outline["height"])
        left, top, right, bottom = outline["part_box"]
        assert 0 <= left < right <= outline["width"]
        assert 0 <= top < bottom <= outline["height"]
        animal = Image.new("L", image.size)
        for polygon in outline["polygons"]:
            x, y = np.array(polygon).reshape(-1, 2).T
            assert 0 <= x.min() < x.max() <= outline["width"]
            assert 0 <= y.min() < y.max() <= outline["height"]
            ImageDraw.Draw(animal).polygon(polygon, fill=1)
        if outline["polygons"]:
            assert np.asarray(animal.crop(outline["part_box"])).mean() > 0.2


def test_nearly_every_animal_has_an_outline():
    photos = {photo.relative_to(PETS / "val").as_posix() for photo in PETS.glob("val/*/*.jpg")}
    assert photos == OUTLINES.keys()
    assert sum(bool(outline["polygons"]) for outline in OUTLINES.values()) == 176


def test_the_sample_is_small():
    assert sum(map(len, contents(PETS).values())) < 14_000_000

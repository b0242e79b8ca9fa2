from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens import formats
from errlens.commands.report.options import ReportOptions
from errlens.data.photos.preprocess import Preprocessing
from errlens.report.images.facts import ImageFacts
from errlens.report.images.heatmaps import HeatMap
from tests.conftest import ends, make_run, paint_colours
from tests.report.pages import make


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def facts_of(run, rows, *, heatmaps=None):
    options = ReportOptions()
    chosen = options.choose(run)
    root = options.images_root(run)
    return ImageFacts(run, chosen.images, chosen.among, root, heatmaps or {}).of(rows)


@pytest.fixture
def evaluated(tiny):
    """A run of twelve photos, one of them wrong, and one that lies on its side."""
    paint_colours(Path("photos"))
    lying = Image.open("photos/red/0.png").convert("RGB").resize((60, 30))
    Path("photos/red/0.png").unlink()
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save("photos/red/0.jpg", exif=exif)

    def evaluate(options):
        ends(f"evaluate photos --model {tiny} -o run -q --img-size 16 {options}")
        return ReportOptions(run=Path("run")).open_run(ReportOptions().screen())

    return evaluate


def test_one_image_is_told_as_the_run_knows_it(evaluated):
    run = evaluated("--crop-mode squash --crop-pct 1")
    table = run.predictions.frame.set_index("path")
    row = int(table.loc["red/3.png", "row"])
    (facts,) = facts_of(run, [row]).values()
    known = table.loc["red/3.png"]
    assert (facts["label_name"], facts["pred_name"], facts["correct"]) == ("red", "green", False)
    assert facts["loss"] == formats.number(known["loss"])
    assert facts["margin"] == formats.signed(known["margin"])
    assert facts["top"][0][0] == "green"
    for (_, told, value), probability in zip(facts["top"], known["topk_prob"], strict=True):
        assert told == formats.probability(probability)
        assert value == pytest.approx(probability, rel=1e-5)
    assert Path(facts["file"]).resolve() == Path("photos/red/3.png").resolve()
    assert facts["fed"] is None  # all of it


def test_an_image_has_near_it_right_ones_of_the_class_it_was_taken_for_and_of_its_own(evaluated):
    run = evaluated("--crop-mode squash --crop-pct 1")
    table = run.predictions.frame
    row = int(table.query("not correct")["row"].iloc[0])
    (facts,) = facts_of(run, [row]).values()
    near = facts["near"]
    assert not facts["near_all"]  # there is a fourth green one
    assert table.loc[near, "correct"].all()
    assert table.loc[near, "label_name"].astype(str).tolist() == ["green"] * 3 + ["red"] * 3
    right = int(table.query("correct and label_name == 'blue'")["row"].iloc[0])
    (facts,) = facts_of(run, [right]).values()
    near = facts["near"]
    assert facts["near_all"]  # the other three
    assert table.loc[near, "label_name"].astype(str).tolist() == ["blue"] * 3
    assert right not in near
    assert facts_of(run, [row, right])[str(right)]["near"] == near  # whoever else is asked for


@pytest.mark.parametrize("options", ["", "--exif"])
def test_what_was_fed_of_a_photo_that_lies_on_its_side_is_told_of_it_as_it_was_read(
    evaluated, options
):
    run = evaluated(f"--crop-mode center --crop-pct 0.5 {options}")
    table = run.predictions.frame.set_index("path")
    row = int(table.loc["red/0.jpg", "row"])
    width, height = (30, 60) if options else (60, 30)
    box = Preprocessing.from_dict(run.info.settings.preprocessing).source_box(width, height)
    shares = np.array(box) / (width, height, width, height)
    np.testing.assert_allclose(facts_of(run, [row])[str(row)]["fed"], shares, atol=1e-4)


def test_predictions_from_elsewhere_are_told_as_far_as_they_go():
    facts = facts_of(make(images=False), [0, 1])
    assert facts["0"]["top"] == [("lion", "0.950", 0.95)]
    assert facts["0"]["loss"] is None
    assert facts["0"]["fed"] is None
    assert facts["0"]["measured"] == []
    assert len(facts["0"]["near"]) == 6  # the surest, without features


def test_an_image_without_a_label_or_a_prediction_has_facts_too():
    make(label=False, superclasses=False, images=False)
    table = pd.read_csv("table.csv")
    table.loc[3, "pred"] = None
    run = make_run(table, "some", classes=("cat", "lion", "dog", "wolf"), options="--max-bad 1")
    facts = facts_of(run, [2, 3])
    assert facts["2"]["near"] == []
    assert facts["3"]["top"] == []
    assert facts["3"]["pred_name"] is None


def test_what_the_manifest_says_is_told_in_words():
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": "cat", "pred": "cat"})
    table["year"], table["site"] = [2019, 2020], ["<b>\u202eA", None]
    run = make_run(table, classes=("cat", "dog"))
    facts = facts_of(run, [0, 1])
    assert facts["0"]["measured"] == [["year", "2019"], ["site", "<b>\\u202eA"]]
    assert facts["1"]["measured"] == [["year", "2020"]]


def test_heat_maps_say_how_they_were_made_and_what_for():
    shown = HeatMap(0, "grad-cam", "cat__lion/0_a_grad-cam.png", ["predicted", "true"])
    facts = facts_of(make(images=False), [0, 1], heatmaps={0: [shown]})
    assert facts["0"]["heatmaps"] == [
        {
            "picture": "cat__lion/0_a_grad-cam.png",
            "caption": "grad-cam for predicted and true · 0_a_grad-cam.png",
        }
    ]
    assert facts["1"]["heatmaps"] == []


def cut_off_of(run):
    """Return how much was cut off of each photo, by row; None where that is no property."""
    options = ReportOptions()
    chosen = options.choose(run)
    facts = ImageFacts(run, chosen.images, chosen.among, options.images_root(run), {})
    return {each.name: each.values for each in facts.properties}.get("cut_off")


def test_how_much_of_a_photo_was_cut_off_is_what_lies_outside_of_its_outline(evaluated):
    run = evaluated("--crop-mode center --crop-pct 0.75")
    cut_off = cut_off_of(run)
    outlines = facts_of(run, range(12))
    assert cut_off.nunique() == 2  # one photo is no square
    for row, share in cut_off.items():
        left, top, right, bottom = outlines[str(row)]["fed"]
        assert share == pytest.approx(1 - (right - left) * (bottom - top), abs=1e-3)


def test_what_is_cut_off_alike_of_all_is_no_property(evaluated):
    assert cut_off_of(evaluated("--crop-mode squash --crop-pct 1")) is None


def test_of_a_run_that_was_imported_nobody_knows_what_was_cut_off():
    assert cut_off_of(make()) is None

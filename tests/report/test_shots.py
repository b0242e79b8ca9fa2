import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.commands.report.options import ReportOptions
from errlens.errors import UnfitOption
from errlens.report import thumbnails
from tests.conftest import call, ends, make_run, paint
from tests.report.pages import CLASSES, data_of, fake_explanations, make, report, text_of


@pytest.mark.parametrize("name", ["../outside.png", "../../outside.png", "/outside.png"])
def test_a_picture_of_another_place_is_refused(name):
    fake_explanations(make(), more=[name])
    said = call("report run")
    assert said.exit_code == 3
    assert "leads out of 'run/explain'" in said.stderr
    assert not Path("run/report.html").exists()


PHOTO = (700, 500)  # pixels


@pytest.fixture
def photographed():
    """A run of twelve photos that are larger than any picture on a page."""
    run = make(each=3)
    for row, path in enumerate(sorted(Path("images").iterdir())):
        paint(path, "green", size=PHOTO, seed=row)
    table = pd.read_csv("table.csv")
    return make_run(table, run.path.name, classes=CLASSES, options="--overwrite")


def pictures(options=""):
    report(f"run {options}")
    return data_of(text_of(), "pictures")


def shown(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.usefixtures("photographed")
def test_every_image_has_a_thumbnail_and_the_worst_a_large_picture():
    uris = pictures()["uris"]
    assert {name for name in uris if name.isdecimal()} == {str(row) for row in range(12)}
    assert max(shown(uris["0"]).size) == 144
    assert max(shown(uris["0@"]).size) == 512
    with Image.open("images/000.png") as photo:
        expected, found = (
            np.asarray(image.convert("RGB").resize((32, 23), Image.Resampling.BOX)).astype(int)
            for image in (photo, shown(uris["0@"]))
        )
    assert np.abs(found - expected).mean() < 3


def test_a_photo_no_larger_than_its_thumbnail_has_no_large_picture():
    make()
    assert not [name for name in pictures()["uris"] if name.endswith("@")]


def test_all_errors_have_pictures_however_few_a_section_shows():
    run = make(("cat", "dog"), superclasses=False, each=60)  # 40 errors in two cells
    errors = run.predictions.frame.query("not correct")["row"]
    assert {*map(str, errors)} <= pictures("--images 60")["uris"].keys()


def test_so_many_images_have_pictures_as_asked_for_and_the_worst_come_first(photographed):
    three = pictures("--images 3")
    rows = [name for name in three["uris"] if name.isdecimal()]
    assert rows == [str(row) for row in ReportOptions().choose(photographed).among.ranking[:3]]
    assert three["otherwise"] == "left out: not among the images asked for"
    assert three["absent"] == {}
    assert not pictures("--images 0")["uris"]
    assert pictures("--images 9999999999999999999")["uris"].keys() == pictures()["uris"].keys()


@pytest.mark.usefixtures("photographed")
def test_thumbnails_of_what_is_shown_come_before_large_pictures():
    whole = pictures()
    of_small = sum(len(uri) for name, uri in whole["uris"].items() if name.isdecimal())
    without = len(text_of()) - sum(map(len, whole["uris"].values()))
    limit = without + 1.2 * of_small + 30_000
    cut = pictures(f"--max-mb {limit / 1e6}")
    assert {name for name in cut["uris"] if name.isdecimal()} == {str(row) for row in range(12)}
    assert len(text_of()) <= limit
    assert cut["uris"].keys() < whole["uris"].keys()


@pytest.mark.usefixtures("photographed")
def test_a_page_is_the_same_whatever_was_kept_of_its_pictures():
    report()
    first = text_of()
    shutil.rmtree("run/.thumbnails")
    report("run --images 5 --max-mb 1")
    report()
    assert text_of() == first


@pytest.mark.usefixtures("photographed")
def test_a_photo_is_decoded_once_for_both_sizes(monkeypatch):
    opened = []
    decode = thumbnails.open_in_sizes
    monkeypatch.setattr(
        thumbnails,
        "open_in_sizes",
        lambda file, **how: opened.append(file.path) or decode(file, **how),
    )
    report()
    assert len(opened) == len({*opened}) == 12
    report()
    assert len(opened) == 12


@pytest.mark.parametrize("asked", ["-1", "some", "1.5", "", "ALL", "1e3", "\u00b2"])
def test_a_number_of_images_that_is_none_is_refused(asked):
    with pytest.raises(UnfitOption, match="neither a number of images nor all"):
        ReportOptions(images=asked).room()


@pytest.mark.parametrize("asked", [0.0, -5.0, float("nan"), float("inf")])
def test_a_size_that_no_page_can_have_is_refused(asked):
    with pytest.raises(UnfitOption, match="is no size of a page"):
        ReportOptions(max_mb=asked).room()


def test_that_not_all_images_have_room_is_said():
    make()
    assert "--max-mb" in report("run --images all --max-mb 0.2").stderr
    assert "warning" not in report("run --images all").stderr


def test_numbers_of_a_configuration_are_read_as_on_the_command_line():
    make()
    Path("config.yaml").write_text("out: run\nreport:\n  images: 3\n  max_mb: 5\n")
    ends("run config.yaml -q")
    assert len(data_of(text_of(), "pictures")["uris"]) == 3


def test_heat_maps_of_images_that_no_section_shows_are_there_for_the_lightbox():
    run = make()
    fake_explanations(run)
    report("run --select row:5")
    facts = data_of(text_of("report-row_5.html"))["facts"]
    assert all(not known["heatmaps"] for row, known in facts.items() if row != "0")
    report()
    told = data_of(text_of())["facts"]["0"]["heatmaps"]
    assert told[0]["caption"] == "grad-cam for predicted and true · 0.png"
    assert told[0]["picture"] in data_of(text_of(), "pictures")["uris"]

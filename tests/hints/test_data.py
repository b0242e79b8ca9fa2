"""Hints about folders, manifests and photos, and about images that lie beside a run."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import COLOURS, paint
from tests.hints.walking import IN_PHOTOS, Walk, replaced

pytestmark = IN_PHOTOS
EVALUATE = "evaluate {} --model tiny:spatial -o new --no-figures"
ON = "--model tiny:spatial -o new -q"


FAILS_ON_SMALL = """
import torch


def on(photo):
    if photo.size == (7, 7):
        raise ValueError("too small")
    return torch.zeros(3, 32, 32)
"""


def manifest(**columns: str) -> None:
    """Write a list of the photos as list.csv, with columns renamed or added."""
    paths = [f"photos/{colour}/{index}.png" for colour in COLOURS for index in range(4)]
    table = pd.DataFrame({"path": paths, "label": [path.split("/")[1] for path in paths]})
    for name, value in columns.items():
        table = (
            table.rename(columns={name: value}) if name in table else table.assign(**{name: value})
        )
    table.to_csv("list.csv", index=False)


def numbered(first: int) -> None:
    """Call the class folders by numbers, from one on that is given."""
    for number, colour in enumerate(COLOURS):
        Path("photos", colour).rename(f"photos/{number + first}")


@pytest.mark.parametrize("typed", ["fotos", "fotos/red", "photo/rde"])
def test_a_path_that_is_not_there_leads_to_one_that_is(walk: Walk, typed):
    said = walk.refused(f"evaluate {typed} {ON}", "errors.data.MissingInput.__init__:hint")
    walk.ends(["evaluate", said.near()[0], *ON.split()])


@pytest.mark.parametrize("typed", ["zebras", "zebras/val"])
def test_a_path_that_is_like_nothing_leads_to_what_is_there(walk: Walk, typed):
    said = walk.refused(f"evaluate {typed} {ON}", "errors.data.MissingInput.__init__:hint")
    assert "'photos'" in said.hint
    walk.ends(f"evaluate photos {ON}")


def test_splits_are_taken_one_by_one(walk: Walk):
    for split in ("train", "it's val"):
        shutil.copytree("photos", Path("all", split.removeprefix("it's ")))
    said = walk.refused(f"evaluate all {ON}", "data.samples._from_folder:hint")
    walk.ends(["evaluate", said.hint.split(": ")[1].split(" or ")[0], *ON.split()])


def test_runs_and_pictures_made_are_taken_for_no_photos(walk: Walk):
    walk.ends("evaluate photos --model tiny:spatial -o runs/one -q")
    walk.ends("misclassified runs/one -q")
    for data in ("runs", "runs/one"):
        said = walk.refused(f"evaluate {data} {ON}", "data.samples._nothing_else:hint2")
        walk.ends(said.hint.removeprefix("errlens ").partition(" shows")[0])
    gallery = "runs/one/misclassified/gallery"
    said = walk.refused(f"evaluate {gallery} {ON}", "data.samples._nothing_else:hint")
    assert said.hint == "pass the folder of the photos themselves"
    shutil.move("runs", "photos/runs")
    found = walk.ends("evaluate photos --model tiny:spatial -o new", says="in 3 classes")
    assert "left out pictures that errlens made, in 'photos/runs/one'" in found.text


def test_a_folder_without_images_says_what_they_end_in(walk: Walk):
    Path("none").mkdir()
    Path("none/readme.md").write_text("x")
    said = walk.refused(f"evaluate none {ON}", "data.samples._from_folder:hint2")
    paint(Path(f"none/a{said.hint.split()[3]}"), "red")
    walk.ends(f"evaluate none {ON} --classes names.txt")


@pytest.mark.parametrize(
    ("columns", "options", "at", "words", "way_out"),
    [
        (
            {"path": "photo"},
            "",
            "data.manifests._refuse_missing:hint3",
            "--path-column",
            "--path-column photo",
        ),
        (
            {"label": "colour"},
            "",
            "data.manifests._refuse_missing:hint3",
            "--label-column",
            "--label-column colour",
        ),
        (
            {"fold": "val"},
            "--split val",
            "data.manifests.in_split:hint",
            "--split-column",
            "--split val --split-column fold",
        ),
    ],
)
def test_columns_of_a_manifest_are_named(walk: Walk, columns, options, at, words, way_out):
    manifest(**columns)
    assert words in walk.refused(f"evaluate list.csv {ON} {options}", at).hint
    walk.ends(f"evaluate list.csv {ON} {way_out}")


def test_labels_that_count_from_one_are_named_by_a_file(walk: Walk):
    numbered(1)
    typed = f"evaluate photos {ON} --labels indices --classes names.txt"
    said = walk.refused(typed, "data.labels.label_indices:hint")
    assert "--classes FILE" in said.hint
    Path("numbers.txt").write_text("1\n2\n3\n")
    walk.ends(f"evaluate photos {ON} --classes numbers.txt")
    shutil.rmtree("new")
    assert "subtract 1" in said.hint
    for number in (1, 2, 3):
        Path("photos", str(number)).rename(f"photos/{number - 1}")
    walk.ends(typed)


def test_a_label_of_two_meanings_is_spelt_like_one(walk: Walk):
    Path("photos/red").rename("photos/Red")
    Path("names.txt").write_text("blue\nRED\nred\n")
    typed = f"evaluate photos {ON} --classes names.txt --allow-unknown"
    said = walk.refused(typed, "data.labels._match_names:hint")
    assert "exactly like one of them" in said.hint
    Path("photos/Red").rename("photos/red")
    walk.ends(typed)


@pytest.mark.parametrize("labels", ["a few", "most"])
def test_labels_that_the_model_lacks_are_named_or_allowed(walk: Walk, labels):
    if labels == "a few":
        shutil.copytree("photos/red", "photos/violet")
    else:
        for colour in COLOURS:
            Path("photos", colour).rename(f"photos/dark {colour}")
    typed = f"evaluate photos {ON} --classes names.txt"
    said = walk.refused(typed, "errors.data.UnknownLabels.__init__:hint")
    if labels == "a few":
        assert "--allow-unknown" in said.hint, "errors.data:text4"
        walk.ends(f"{typed} --allow-unknown")
    else:
        assert "--classes" in said.hint, "errors.data:text3"
        Path("dark.txt").write_text("".join(f"dark {colour}\n" for colour in COLOURS))
        walk.ends(f"evaluate photos {ON} --classes dark.txt")
        head = "network probe photos --model tiny:spatial --save-head head.safetensors -q"
        assert "errlens network probe" in said.hint
        walk.ends(head)


def test_a_wrong_count_of_classes_is_named_or_a_head_is_fitted(walk: Walk):
    paint(Path("photos/violet/1.png"), "red")
    said = walk.refused(f"evaluate photos {ON}", "errors.data.ClassCountMismatch.__init__:hint")
    assert "--classes FILE" in said.hint
    walk.ends(f"evaluate photos {ON} --classes names.txt --allow-unknown")
    assert "errlens network probe" in said.hint
    walk.ends("network probe photos --model tiny:spatial --save-head head.safetensors -q")


@pytest.mark.parametrize("beside", ["", "train"])
def test_where_classes_lack_their_list_is_made_of_the_folders_trained_on(walk: Walk, beside: str):
    shutil.copytree("photos", "sets/val")
    Path("photos").rename(f"sets/{beside or 'elsewhere'}")
    shutil.rmtree("sets/val/green")
    said = walk.refused(f"evaluate sets/val {ON}", "errors.data.ClassCountMismatch.__init__:hint")
    words = re.search(r"\((LC_ALL=C ls (\S+) > FILE) ", said.hint)
    assert words[2] == ("sets/train" if beside else "TRAIN")
    assert "errlens network probe" in said.hint, (
        "commands.evaluate.work._other_classes_answered:hint2"
    )
    line = words[1].replace("FILE", "made.txt").replace("TRAIN", "sets/elsewhere")
    subprocess.run(line, shell=True, check=True)
    walk.ends(f"evaluate sets/val {ON} --classes made.txt")


def test_images_that_failed_are_listed_or_taken_as_they_are(walk: Walk):
    Path("photos/red/0.png").write_bytes(b"no image")
    typed = f"evaluate photos {ON} --max-bad 0"
    said = walk.refused(typed, "commands.evaluate.result.check_bad_inputs:hint")
    walk.ends(said.command(" lists"))
    assert "red/0.png" in Path("new/report.html").read_text()
    assert "--max-bad 1" in said.hint
    walk.ends(typed.replace("--max-bad 0", "--max-bad 1"))


def test_a_transform_that_fails_names_the_photo(walk: Walk):
    Path("fails.py").write_text(FAILS_ON_SMALL)
    paint(Path("photos/red/9.png"), "red", size=(7, 7))
    said = walk.refused(
        f"evaluate photos {ON} --transform fails:on", "data.photos.loading.load_input:hint"
    )
    assert Path(said.hint.split("'")[1]).is_file()


def test_photos_that_exif_turns_are_turned(walk: Walk):
    for photo in Path("photos").rglob("*.png"):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.open(photo).save(photo.with_suffix(".jpg"), exif=exif)
        photo.unlink()
    at = "analysis.mistakes.photo_remarks.photo_remarks:text"
    said = walk.ends(f"evaluate photos {ON.removesuffix(' -q')} -v", says="--exif turns them")
    assert "--exif" in said.text, at
    assert "--exif" not in walk.ends(f"evaluate photos {ON.replace('new', 'newer')} --exif").text


def test_copies_go_to_a_folder_of_their_own(walk: Walk):
    typed = "misclassified seen --no-figures --copy photos"
    said = walk.refused(typed, "data.copies.require_free:hint")
    assert "a folder of their own" in said.hint
    walk.ends(replaced(typed, "photos", "copies"))


@pytest.mark.parametrize("train", ["others", "loose"])
def test_training_images_are_named_like_the_classes(walk: Walk, train):
    paint(Path("others/dark red/0.png"), "red")
    paint(Path("loose/0.png"), "red")
    typed = f"misclassified seen --train {train}"
    said = walk.refused(typed, "data.training.training_samples:hint")
    assert "red" in said.hint if train == "others" else "blue" in said.hint
    paint(Path(train, "red/0.png"), "red")
    walk.ends(typed)


def test_photos_that_have_moved_are_found_where_they_lie_now(walk: Walk):
    walk.ends("evaluate photos --model tiny:spatial -o seen --overwrite -q")
    Path("photos").rename("moved photos")
    at = "commands.showing.warn_of_absent:text"
    said = walk.ends("misclassified seen", says="--data-root")
    assert "no gallery" in said.text, at
    assert "no gallery" not in walk.ends("misclassified seen --data-root 'moved photos'").text
    said = walk.ends("report seen", says="--data-root")
    assert "cannot be shown" in said.text, "commands.report.view._warn_of_absent:text"
    assert "cannot be shown" not in walk.ends("report seen --data-root 'moved photos'").text


@pytest.mark.parametrize("kind", ["none", "grey"])
def test_masks_are_made_as_the_hint_says(walk: Walk, kind):
    Path("masks/red").mkdir(parents=True)
    white = np.full((10, 12), 255, np.uint8)
    if kind == "grey":
        Image.fromarray(white // 2).save("masks/red/3.png")
    typed = "explain seen --masks masks --overwrite"
    at = {
        "none": "data.objects.outlines._mask_images:hint",
        "grey": "data.objects.outlines._white:hint",
    }
    said = walk.refused(typed, at[kind])
    assert "a/b.png" in said.hint or "255" in said.hint
    Image.fromarray(white).save("masks/red/3.png")
    walk.ends(typed)


def test_a_mask_lies_as_its_photo_is_stored(walk: Walk):
    for colour in COLOURS:
        photo = Image.open(paint(Path(f"stored/{colour}/0.png"), colour))
        turned = Image.Exif()
        turned[0x0112] = 6
        Path(f"stored/{colour}/0.png").unlink()
        photo.save(f"stored/{colour}/0.jpg", exif=turned)
    shutil.copy("stored/green/0.jpg", "stored/red/1.jpg")
    walk.ends(f"evaluate stored {ON}")
    Path("masks/red").mkdir(parents=True)
    upright = Image.new("L", (10, 12), 255)
    upright.save("masks/red/1.png")
    said = walk.refused("explain new --masks masks", "data.objects.outlines._check_shape:hint")
    assert "as it is stored" in said.hint
    upright.rotate(90, expand=True).save("masks/red/1.png")
    walk.ends("explain new --masks masks")


@IN_PHOTOS
def test_classes_without_photos_are_left_out_of_the_choice(walk: Walk):
    shutil.rmtree("photos/green")
    typed = "evaluate photos --model tiny:spatial --classes names.txt"
    said = walk.ends(f"{typed} -o new")
    assert "--classes-subset" in said.text, "commands.evaluate.remarks.show_labels:text"
    walk.ends(f"{typed} -o newer --classes-subset", says="2 of 3 outputs count")


@IN_PHOTOS
def test_photos_without_labels_leave_every_class_in_the_choice(walk: Walk):
    typed = "evaluate photos/red --model tiny:spatial -o new"
    at = "commands.evaluate.subset.among_classes_of_data:hint"
    assert "leave it out here" in walk.refused(f"{typed} --classes-subset", at).hint
    walk.ends(typed)

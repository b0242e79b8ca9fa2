"""Hints about lists of photos that cannot be read, or whose photos lie elsewhere, and labels."""

import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import COLOURS
from tests.hints.test_data import manifest, numbered
from tests.hints.walking import IN_PHOTOS, Walk

pytestmark = IN_PHOTOS
ON = "--model tiny:spatial -o new -q"
ABSENT = "data.samples.refuse_absent"
LIST = Path("list.csv")


def test_columns_that_nothing_tells_are_named(walk: Walk):
    manifest(path="photo", label="colour", camera="a")
    LIST.write_text(LIST.read_text().replace(".png", ""))
    at = "data.manifests._refuse_missing:hint3"
    said = walk.refused(f"evaluate list.csv {ON}", at)
    assert "--path-column and --label-column" in said.hint, "data.manifests._likely_columns:text"
    walk.ends(f"evaluate list.csv {ON} --path-column photo --label-column colour")


@pytest.mark.parametrize("command", ["evaluate", "analyze"])
@pytest.mark.parametrize("pred", ["pred", "y_pred", "prob_red"])
def test_a_table_of_predictions_is_imported(walk: Walk, command: str, pred: str):
    answer = ["0.5", "0.9"] if "prob" in pred else ["red", "blue"]
    table = {"id": ["a", "b"], "label": ["blue", "red"], pred: answer}
    pd.DataFrame(table).to_csv("my preds.csv", index=False)
    at = "data.manifests._refuse_missing:hint2"
    said = walk.refused(f"{command} 'my preds.csv' {ON}", at)
    assert "no list of images, it seems, but predictions" in said.text
    more = ["--pred-column", pred] if pred == "y_pred" else []
    walk.ends([*said.command(" takes"), *more, "-o", "imported"])


def test_a_list_without_a_header_gets_the_line_that_is_named(walk: Walk):
    manifest()
    LIST.write_text(LIST.read_text().partition("\n")[2])
    said = walk.refused(f"evaluate list.csv {ON}", "data.manifests._refuse_missing:hint")
    LIST.write_text(f"{said.hint.partition(': ')[2]}\n{LIST.read_text()}")
    walk.ends(f"evaluate list.csv {ON}")


def test_a_list_in_another_encoding_is_saved_as_the_hint_says(walk: Walk):
    manifest(taken="im Grünen")
    LIST.write_bytes(LIST.read_text("utf-8").encode("cp1252"))
    said = walk.refused(f"evaluate list.csv {ON}", "data.manifests._read_text:hint")
    assert "save it as UTF-8" in said.hint
    manifest(taken="im Grünen")
    walk.ends(f"evaluate list.csv {ON}")


def test_an_archive_is_unpacked_and_a_spreadsheet_saved_as_csv(walk: Walk):
    at = "data.samples.find_samples:hint"
    shutil.make_archive("packed", "zip", "photos")
    assert "unpack it" in walk.refused(f"evaluate packed.zip {ON}", at).hint
    shutil.unpack_archive("packed.zip", "packed")
    walk.ends(f"evaluate packed {ON}")
    Path("list.xlsx").write_bytes(b"PK")
    assert "save it as csv" in walk.refused(f"evaluate list.xlsx {ON}", at).hint
    manifest()
    walk.ends(f"evaluate list.csv {ON.replace('new', 'newer')}")


def test_photos_of_a_list_that_lie_elsewhere_are_found(walk: Walk):
    manifest()
    LIST.write_text(LIST.read_text().replace("photos/", "/data/train/"))
    Path("photos").rename("my photos")
    said = walk.refused(f"evaluate list.csv {ON}", f"{ABSENT}:hint")
    words = shlex.split(said.hint.partition("add ")[2])
    assert words == ["--root", "my photos"], f"{ABSENT}:text"
    walk.ends([*shlex.split(f"evaluate list.csv {ON}"), *words])


def test_photos_of_a_list_that_are_not_found_are_looked_for_where_that_is_said(walk: Walk):
    manifest()
    LIST.write_text(LIST.read_text().replace(".png", "-far.png"))
    for photo in Path("photos").rglob("*.png"):  # called like those of no other test
        photo.rename(photo.with_stem(f"{photo.stem}-far"))
    Path("../drive/deep/within").mkdir(parents=True)
    Path("photos").rename("../drive/deep/within/photos")
    said = walk.refused(f"evaluate list.csv {ON}", f"{ABSENT}:hint")
    assert "--root DIR" in said.hint, f"{ABSENT}:text2"
    walk.ends(f"evaluate list.csv {ON} --root ../drive/deep/within")


def test_classes_that_lie_one_folder_deeper_are_taken_from_there(walk: Walk):
    Path("all").mkdir()
    Path("photos").rename("all/photos")
    at = "commands.evaluate.work._other_classes_answered:hint"
    walk.ends(walk.refused(f"evaluate all {ON}", at).command())


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ("", "errors.data.ClassCountMismatch.__init__:hint"),
        ("--classes names.txt", "errors.data.UnknownLabels.__init__:hint"),
    ],
)
def test_folders_that_number_the_outputs_are_said_to(walk: Walk, more, at):
    numbered(0)
    if not more:
        shutil.rmtree("photos/2")
    typed = f"evaluate photos {ON} {more}"
    said = walk.refused(typed, at)
    assert "add --labels indices" in said.hint, "errors.data:text"
    walk.ends(f"{typed} --labels indices")


def test_labels_that_number_the_outputs_otherwise_are_listed(walk: Walk):
    manifest()
    table = pd.read_csv(LIST)
    numbers = [10 * (COLOURS.index(label) + 1) for label in table["label"]]
    table.assign(label=numbers).to_csv(LIST, index=False)
    typed = f"evaluate list.csv {ON}"
    said = walk.refused(f"{typed} --classes names.txt", "errors.data.UnknownLabels.__init__:hint")
    assert "--classes FILE" in said.hint, "errors.data:text2"
    Path("numbers.txt").write_text("10\n20\n30\n")
    walk.ends(f"{typed} --classes numbers.txt")

"""Marks are read from what the page exports, and from what people write by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.marks.files import (
    IMAGE_COLUMNS,
    read_marks,
    read_run_marks,
    write_run_marks,
)
from errlens.analysis.marks.mark import LONGEST_REMARK, VERDICTS, Mark, marks_tree, parse_marks
from errlens.classes.names import ClassNames
from errlens.errors import (
    BadConfig,
    BadLabelFile,
    BadMarks,
    InputError,
    MissingInput,
    OutsideRun,
    UnfitSelection,
)
from errlens.run.csv_tables import write_csv
from errlens.run.folder import RunFolder
from tests.conftest import make_run
from tests.galleries.test_choice import selectable

NAMES = ("cat", "dog", "grey cow")
LABELS = ["cat", "cat", "dog", "grey cow", None]
MARKS = {
    0: Mark("wrong label", "dog", "a dog, isn't it?"),
    2: Mark("wrong label"),
    3: Mark("bad image", None, 'two\nlines, "quoted"; =1+1'),
    4: Mark("interesting"),
}


@pytest.fixture(scope="module")
def the_run(tmp_path_factory):
    table = pd.DataFrame(
        {
            "path": [f"images/{row}.png" for row in range(5)],
            "label": LABELS,
            "pred": ["cat", "dog", "dog", "cat", "cat"],
            "confidence": 0.5,
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("imported"))
        return RunFolder(make_run(table, classes=NAMES).path.absolute())


@pytest.fixture
def run(the_run, tmp_path, monkeypatch):
    """A run without marks, and an empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    yield the_run
    the_run.marks_file.unlink(missing_ok=True)


def images_of(run):
    return run.read_predictions((*IMAGE_COLUMNS, "label", "pred", "correct", "confidence", "row"))


def read(run, name, text=None):
    if text is not None:
        Path(name).write_text(text, encoding="utf-8")
    images = images_of(run)
    among = replace(selectable([(0, 0)]), table=images.table, classes=images.classes)
    return read_marks(Path(name), images, among, run.info.run_hash)


def test_what_is_written_into_a_run_is_read_back(run):
    assert read_run_marks(run, images_of(run)) == {}
    write_run_marks(run, MARKS, images_of(run))
    assert read_run_marks(run, images_of(run)) == MARKS
    tree = json.loads(run.marks_file.read_text(encoding="utf-8"))
    assert tree["marks"][0] == {
        "row": 0, "sample_id": "images/0.png", "path": "images/0.png", "label_name": "cat",
        "verdict": "wrong label", "label": "dog", "remark": "a dog, isn't it?",
    }  # fmt: skip


marks = st.builds(
    lambda verdict, label, remark: Mark(
        verdict, label if verdict == "wrong label" else None, remark.strip()
    ),
    st.sampled_from(VERDICTS),
    st.sampled_from([None, *NAMES]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.integers(0, 4), marks))
def test_any_remark_is_read_back_from_json(given):
    images = pa.table({"sample_id": [*"abcde"], "path": [*"abcde"], "label_name": LABELS})
    text = json.dumps(marks_tree(given, images, "hash"))
    found = parse_marks(json.loads(text), images, ClassNames(NAMES), "hash", source="it")
    assert found == given


def tree_of(run, marks=MARKS):
    return marks_tree(marks, images_of(run).table, run.info.run_hash)


def test_marks_of_another_run_are_found_by_image_whatever_their_row(run):
    tree = tree_of(run)
    tree["run_hash"] = "f" * 64
    for mark in tree["marks"]:
        mark["row"] += 100
    assert read(run, "theirs.json", json.dumps(tree)) == MARKS


def test_a_label_that_was_mended_meanwhile_does_no_harm(run):
    tree = tree_of(run, {1: Mark("wrong label", "cat")}) | {"run_hash": "f" * 64}
    tree["marks"][0]["label_name"] = "dog"
    assert read(run, "theirs.json", json.dumps(tree)) == {1: Mark("wrong label", "cat")}


def test_images_that_are_only_called_alike_are_not_taken_for_the_same(run):
    tree = tree_of(run) | {"run_hash": "f" * 64}
    tree["marks"][2]["label_name"] = "cat"
    with pytest.raises(BadMarks, match=r"another run, in which 'images/3.png' has the label 'cat'"):
        read(run, "theirs.json", json.dumps(tree))


def changed(**parts):
    return lambda tree: tree["marks"][0].update(parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(sample_id="no.png"), "does not have: 'no.png'"),
        (changed(sample_id=None, row=99), "about row 99; the last row of the run is 4"),
        (changed(sample_id=None, row=-1), "about row -1"),
        (changed(sample_id=None, row=None), "about row None"),
        (changed(row=3), "'images/0.png' is row 0 of the run, not 3"),
        (changed(row="0"), "marks.0.row: Input should be a valid integer"),
        (changed(row=True), "marks.0.row: Input should be a valid int"),
        (changed(row=1e300), "marks.0.row: Input"),
        (changed(verdict="wrong lable"), "there is no verdict 'wrong lable'"),
        (changed(verdict=None), "marks.0.verdict"),
        (changed(verdict=["wrong label"]), "marks.0.verdict: Input"),
        (changed(label="dgo"), "'dgo' is no class of the run"),
        (changed(label=1), "marks.0.label"),
        (changed(verdict="ambiguous"), "'ambiguous' takes no label"),
        (changed(remark=["a"]), "marks.0.remark"),
        (changed(remark="a" * (LONGEST_REMARK + 1)), "a remark has 2,001 characters"),
        (changed(sample_id="images/2.png", row=2), "marks row 2 twice"),
        (lambda tree: tree.update(schema_version=2), "has schema_version 2"),
        (lambda tree: tree.update(marks={}), "marks: Input should be a valid list"),
        (lambda tree: tree.update(marks=[7]), "marks.0: Input should be"),
        (lambda tree: tree.pop("marks"), "no list called marks"),
        (lambda tree: tree.update(run_hash=7), "run_hash"),
        (
            lambda tree: (tree.update(run_hash="f"), tree["marks"][1].update(sample_id=None)),
            "another run, and does not name its images",
        ),
        (
            lambda tree: (tree.update(run_hash="f"), tree["marks"][1].update(sample_id="x.png")),
            "another run, and names images that this run does not have: 'x.png'",
        ),
    ],
)
def test_marks_that_do_not_fit_are_refused(run, change, message):
    tree = tree_of(run)
    change(tree)
    with pytest.raises(BadMarks) as refused:
        read(run, "theirs.json", json.dumps(tree))
    assert message in str(refused.value)
    assert "theirs.json" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '"marks"', "[" * 10_000, '{"marks": [{"row": 1e999}]}',
     '{"data": {"image": "a"}}', '{"marks": [{"row": 0, "verdict": "\\ud800"}]}'],
)  # fmt: skip
def test_what_is_no_marks_json_is_refused(run, text):
    with pytest.raises(BadMarks, match=r"theirs\.json"):
        read(run, "theirs.json", text)


def test_a_file_that_is_none_is_refused(run):
    Path("folder.json").mkdir()
    Path("loop.json").symlink_to("loop.json")
    Path("broken.json").symlink_to("nowhere.json")
    for name in ("not_there.json", "folder.json", "loop.json", "broken.json"):
        with pytest.raises(MissingInput):
            read(run, name)
    Path("marks.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadMarks, match=r"is none of \.json, \.csv"):
        read(run, "marks.png")
    Path("latin.json").write_bytes(b'{"marks": ["\xe9"]}')
    with pytest.raises(BadMarks, match="no text in UTF-8"):
        read(run, "latin.json")


def test_a_link_of_the_run_that_leads_out_is_not_followed(run):
    Path("secret.json").write_text(json.dumps(tree_of(run)))
    run.marks_file.symlink_to(Path("secret.json").absolute())
    with pytest.raises(OutsideRun):
        read_run_marks(run, images_of(run))
    run.marks_file.unlink()
    run.marks_file.symlink_to("marks.json")
    with pytest.raises(OutsideRun):
        read_run_marks(run, images_of(run))


def test_a_file_of_a_windows_editor_is_read(run):
    assert read(run, "theirs.json", f"\ufeff{json.dumps(tree_of(run), indent=4)}") == MARKS


def test_a_table_of_mended_labels_is_marks(run):
    write_csv(
        Path("labels.csv"),
        pd.DataFrame(
            {
                "row": [0, 1, 2, 3, 4],
                "label_name": ["cat", "cat", "dog", "grey cow", None],
                "label": ["dog", "cat", None, None, None],
                "verdict": [None, None, "wrong label", None, None],
                "remark": ["=1+1\n2", None, "-", "", "only said"],
            }
        ),
    )
    assert read(run, "labels.csv") == {
        0: Mark("wrong label", "dog", "=1+1\n2"),
        2: Mark("wrong label", None, "-"),
        4: Mark("interesting", None, "only said"),
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("row,label\n0,dgo\n", BadLabelFile),
        ("row,label\n9,dog\n", BadLabelFile),
        ("row,verdict\n9,ambiguous\n", BadMarks),
        ("row,verdict\n1,ambigous\n", BadMarks),
        ("row,verdict\n1,ambiguous\n1,bad image\n", BadMarks),
        ("name,label\ncat,dog\n", BadLabelFile),
        ("name,remark\ncat,dog\n", BadMarks),
        ("", BadMarks),
    ],
)
def test_a_table_that_does_not_fit_is_refused(run, text, error):
    with pytest.raises(error):
        read(run, "labels.csv", text)


def test_notes_about_images_are_marks(run):
    text = yaml.safe_dump(
        {
            "row:0": {"verdict": "wrong label", "label": "dog", "observation": "a\nb"},
            "row:1": {"observation": "odd", "idea": "crop less"},
            "row:2": {"verdict": "ambiguous"},
            "cat~dog": {"idea": "both"},
            "path:images/3.png": {"label": "cat"},
        }
    )
    assert read(run, "notes.yaml", text) == {
        0: Mark("wrong label", "dog", "a\nb"),
        1: Mark("interesting", None, "odd\ncrop less"),
        2: Mark("ambiguous"),
        3: Mark("wrong label", "cat"),
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("row:0: {verdict: wrong}", BadMarks),
        ("row:0: {verdict: wrong label, label: dgo}", BadMarks),
        ("row:9: {verdict: ambiguous}", UnfitSelection),
        ("cat~dog: {verdict: ambiguous}", BadConfig),
        ("row:0: [a]", BadConfig),
        ("a: [", BadConfig),
    ],
)
def test_notes_that_do_not_fit_are_refused(run, text, error):
    with pytest.raises(error):
        read(run, "notes.yaml", text)


def test_all_of_these_failures_say_that_the_input_is_wrong():
    assert issubclass(BadMarks, InputError)

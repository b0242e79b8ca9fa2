"""Files of marks that the page writes and reads, in a real browser."""

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import yaml

from errlens.analysis.findings.causes.labels.exports import fiftyone_samples, label_studio_tasks
from errlens.analysis.marks.mark import VERDICTS, Mark, marks_tree
from errlens.escapes import printable
from errlens.run.csv_tables import unquoted
from tests.commands.report.marking import (
    close,
    images_of,
    mark_of,
    open_image,
    read,
    saved,
    set_mark,
    theirs,
)
from tests.conftest import ends
from tests.report.pages import CLASSES, EVIL, make, report

NARROW = {"width": 400, "height": 900}
FILES = ("labels.csv", "notes.yaml", "marks.json", "label_studio.json", "samples.json")
REMARKS = [
    "plain", "=1+1", "+1", "-1", "@SUM(A1)", "'quoted", '"double", and, commas', "two\nlines",
    "tab\there", "\\back\\slash \\n", "$'as it is'", "a: b # c", "- [x] {y}", "null", "007",
    "\uff1dwide", "émigré 猫 😀", "\u202ereversed\u202c", "zero\u200bwidth", "\x07bell\x1b[31m",
    "\u2028line\u2029paragraph\x85next", "</script><script>alert(1)</script>", "<b>&amp;</b>",
    "\U000e0001tag\ufffe", "a\x00b", "\ufeffmarked", "yes", "1e5", "2020-01-01", "~", "%s {0} ${1}",
]  # fmt: skip


def test_labels_that_were_mended_go_through_what_if(visit, run):
    page = visit()
    table = run.read_predictions(("label", "pred", "label_name", "pred_name")).table.to_pandas()
    wrong = table.index[table["label"] != table["pred"]][:2]
    for row in wrong:
        open_image(page, int(row))
        page.keyboard.press("1")
        page.locator(".guesses button", has_text=table["pred_name"][row]).click()
    set_mark(page, 20, "wrong label", remark="who knows")
    set_mark(page, 21, "bad image")
    close(page)
    assert page.locator("#marks-labels").inner_text() == "2 right labels"
    path = saved(page, "labels.csv")
    found = json.loads(ends(f"what-if run --relabel {path} --json").stdout)
    label = table["label"].to_numpy().copy()
    label[wrong] = table["pred"][wrong]
    assert found["relabelled"] == 2
    assert found["new"]["top1"]["value"] == pytest.approx(np.mean(label == table["pred"]))
    assert found["old"]["top1"]["value"] == pytest.approx(np.mean(table["label"] == table["pred"]))
    mended = pd.read_csv(path)
    assert mended["path"].tolist() == [f"images/{row:03d}.png" for row in wrong]
    assert mended["label"].tolist() == table["pred_name"][wrong].tolist()
    selected = ends(
        "misclassified run --no-figures --select rows:labels.csv --json --notes labels.csv"
    )
    assert json.loads(selected.stdout)


@pytest.mark.usefixtures("run")
def test_without_a_right_label_there_is_no_file_of_them(visit):
    page = visit()
    set_mark(page, 20, "wrong label", remark="who knows")
    button = page.locator("[data-save='labels.csv']")
    assert button.is_disabled()
    assert "without a right one is not in it" in page.locator("#marks-unlabelled").inner_text()
    assert "download folder" in page.locator("#marks-files").inner_text()
    set_mark(page, 20, "wrong label", "dog")
    assert button.is_enabled()
    assert page.locator("#marks-unlabelled").is_hidden()


@pytest.mark.parametrize("names", [CLASSES, EVIL], ids=["plain", "evil"])
def test_files_are_read_back_as_they_were_marked(visit, names):
    run = make(names, superclasses=False, each=12)
    report()
    page = visit()
    marks = {}
    for row, remark in enumerate(REMARKS):
        verdict = VERDICTS[row % 4]
        label = names[row % 3] if verdict == "wrong label" and row % 8 else None
        marks[row] = Mark(verdict, label, remark.strip().removeprefix("\ufeff"))
        set_mark(page, row, verdict, label, remark)
    assert {row: mark_of(page, row) for row in marks} == marks
    paths = {name: saved(page, name) for name in FILES}
    wrong = {row: mark for row, mark in marks.items() if mark.verdict == "wrong label"}
    assert read(paths["marks.json"], run) == marks
    assert read(paths["notes.yaml"], run) == marks
    right = {row: mark for row, mark in wrong.items() if mark.label}
    assert 0 < len(right) < len(wrong)
    assert read(paths["labels.csv"], run) == right
    images = images_of(run)
    assert json.loads(paths["marks.json"].read_text()) == marks_tree(
        marks, images.table, run.info.run_hash
    )
    notes = yaml.safe_load(paths["notes.yaml"].read_text(encoding="utf-8"))
    assert [notes[f"row:{row}"]["observation"] for row in marks] == [
        mark.remark for mark in marks.values()
    ]
    lines = [*csv.DictReader(io.StringIO(paths["labels.csv"].read_text(encoding="utf-8")))]
    assert [unquoted(line["remark"]) for line in lines] == [mark.remark for mark in right.values()]
    assert not [cell for line in lines for cell in line.values() if cell.startswith(tuple("=+-@"))]
    assert {text for path in paths.values() for text in path.read_text()} >= {"\n"}
    for path in paths.values():
        assert all(printable(line) == line for line in path.read_text("utf-8").splitlines())
    assert page.locator("#marks script, #marks b b, #marks img[src=x]").count() == 0
    ends("what-if run --relabel labels.csv -q")
    ends("misclassified run --no-figures -q --notes notes.yaml")
    ends("report run -q --marks marks.json --marks notes.yaml --marks labels.csv")


def test_tools_get_the_shapes_that_diagnose_exports(visit):
    run = make((*CLASSES[:3], "it's (a) 100 % wolf!"), superclasses=False)
    report()
    page = visit()
    table = run.read_predictions(
        ("row", "sample_id", "path", "label_name", "pred_name", "confidence")
    ).table.to_pandas()
    marks = {row: Mark("wrong label", table["pred_name"][row], f"no. {row}") for row in (0, 3, 40)}
    for row, mark in marks.items():
        set_mark(page, row, *mark)
    issues = table.loc[[*marks]].assign(
        list="wrong label",
        evidence=[mark.remark for mark in marks.values()],
        looks_like=lambda chosen: chosen["pred_name"],
        looks_like_prob=lambda chosen: chosen["confidence"],
        score=0.0,
    )
    tasks = label_studio_tasks(issues)
    for task in tasks:
        task["predictions"][0].pop("score")  # a person is sure
    assert json.loads(saved(page, "label_studio.json").read_text()) == tasks
    samples = fiftyone_samples(issues, data_root=Path(run.info.data_root).absolute())["samples"]
    found = json.loads(saved(page, "samples.json").read_text())["samples"]
    for sample, ours in zip(samples, found, strict=True):
        sample.pop("label_issue")
        confidence = sample["prediction"].pop("confidence")
        assert ours["prediction"].pop("confidence") == pytest.approx(confidence, rel=1e-5)
        assert ours.pop("mended") == {
            "_cls": "Classification",
            "label": sample["prediction"]["label"],
        }
    assert found == samples


def test_a_page_about_a_selection_knows_the_same_marks(visit, run):
    report("run --select cat~lion")
    page = visit()
    set_mark(page, 0, "wrong label", "dog")
    set_mark(page, 40, "ambiguous")  # is none of these
    with page.expect_popup() as opened:
        page.evaluate("() => { window.open('report-cat~lion.html') }")
    page = opened.value
    page.wait_for_selector("#marks-own .marked-image")
    assert "row 40 is not on this page" in page.locator("#marks-own").inner_text()
    assert page.locator("main .shot[data-row='0']").first.get_attribute("data-marked")
    assert read(saved(page, "labels.csv"), run) == {0: Mark("wrong label", "dog")}
    assert read(saved(page, "marks.json"), run).keys() == {0, 40}


def test_a_thousand_marks_are_fluent_and_nothing_sticks_out(visit):
    make(each=300, images=False)
    report()
    page = visit(viewport=NARROW)
    page.evaluate("""() => page.marks.takeOver(new Map([...Array(1000).keys()].map((row) =>
        [row, { verdict: "wrong label", label: "wolf", remark: "word".repeat(100) }])))""")
    page.wait_for_selector("#marks-own .more")
    assert page.locator("#marks-own li").count() == 61
    page.locator("#marks-own .more button").click()
    page.wait_for_selector("#marks-own li:nth-child(121)")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert pd.read_csv(saved(page, "labels.csv"))["row"].tolist() == [*range(1000)]
    spent = page.evaluate("""() => {
        const begun = performance.now();
        page.marks.set(5, { verdict: "ambiguous" });
        return performance.now() - begun;
    }""")
    assert spent < 200


@pytest.mark.usefixtures("run")
def test_texts_are_written_as_the_program_writes_them(visit):
    page = visit()
    random = np.random.default_rng(0)
    letters = [
        *"ab,;:'\"\\$=+-@ #\n\r\t\x00\x1b\x7f\x85\xa0\xad\u200b\u2028\u202e\ufeff\uff1d",
        "é",
        "😀",
    ]
    texts = REMARKS + [
        "".join(random.choice(letters, size)) for size in range(1, 12) for _ in range(30)
    ]
    written = page.evaluate(
        """texts => texts.map((text) => [page.texts.cell(text), page.texts.json({ text }),
            page.texts.yaml(text), page.texts.address(text), page.printable(text)])""",
        texts,
    )
    for text, (cell, as_json, as_yaml, address, shown) in zip(texts, written, strict=True):
        assert unquoted(cell.strip()) == text, cell
        assert not cell.startswith(tuple("=+-@\uff1d"))
        assert printable(cell) == cell
        assert json.loads(as_json) == {"text": text}
        assert yaml.safe_load(as_yaml) == text
        assert address == quote(text)
        assert shown == printable(text)


def test_a_file_is_read_in_the_page(visit, run):
    page = visit()

    def imported(name, text=None):
        if text is not None:
            Path(name).write_text(text, encoding="utf-8")
        page.locator("#marks-imported").evaluate("one => { one.textContent = '' }")
        page.set_input_files("#marks-import", name)
        page.wait_for_selector("#marks-imported:not(:empty)")
        return page.locator("#marks-imported").inner_text()

    said = {0: Mark("wrong label", "dog", "a\nb"), 3: Mark("ambiguous")}
    theirs(run, said)
    set_mark(page, 3, "bad image")
    assert imported("anna.json") == (
        "1 mark taken over; 1 image that you marked otherwise kept as you did."
    )
    assert [mark_of(page, row) for row in said] == [said[0], Mark("bad image")]
    theirs(run, {5: Mark("ambiguous")}, "other.json", run_hash="f" * 64)
    tree = json.loads(Path("other.json").read_text())
    tree["marks"][0]["row"] = 1
    assert imported("other.json", json.dumps(tree)) == "1 mark taken over."
    assert mark_of(page, 5) == Mark("ambiguous")
    for text, problem in [
        ("{", "is no JSON"),
        ("[]", "no list called marks"),
        ('{"marks": 7}', "no list called marks"),
        ('{"marks": [null]}', "mark 1 is about an image that this run does not have"),
        (json.dumps(tree).replace("images/", "elsewhere/"), "that this run does not have"),
        (
            json.dumps({**tree, "run_hash": run.info.run_hash}).replace('"row": 1', '"row": 99'),
            "have",
        ),
        (json.dumps(tree).replace("ambiguous", "<i>"), "has no verdict"),
        (
            json.dumps(tree).replace("ambiguous", "wrong label").replace("null", '"<i>\\u202e"'),
            "<i>\\u202e is no class of this run",
        ),
    ]:
        assert problem in imported("bad.json", text), text
    assert page.locator("#marks-imported i").count() == 0
    assert page.evaluate("page.marks.rows()") == [0, 3, 5]

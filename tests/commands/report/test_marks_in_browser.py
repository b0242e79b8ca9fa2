"""Marks of images on the page, and the files that it makes of them, in a real browser."""

import csv
import io
import json
import shutil
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import yaml

from errlens.analysis.findings.causes.labels.exports import fiftyone_samples, label_studio_tasks
from errlens.analysis.marks.files import IMAGE_COLUMNS, read_marks, write_run_marks
from errlens.analysis.marks.mark import VERDICTS, Mark, marks_tree
from errlens.commands.options.selecting import SelectOptions
from errlens.escapes import printable
from errlens.run.csv_tables import unquoted
from errlens.run.folder import open_run
from tests.conftest import ends
from tests.report.pages import CLASSES, EVIL, make, report

NARROW = {"width": 400, "height": 900}
FILES = ("labels.csv", "notes.yaml", "marks.json", "label_studio.json", "samples.json")
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
});"""
FULL_STORAGE = """Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
};"""
REMARKS = [
    "plain", "=1+1", "+1", "-1", "@SUM(A1)", "'quoted", '"double", and, commas', "two\nlines",
    "tab\there", "\\back\\slash \\n", "$'as it is'", "a: b # c", "- [x] {y}", "null", "007",
    "\uff1dwide", "émigré 猫 😀", "\u202ereversed\u202c", "zero\u200bwidth", "\x07bell\x1b[31m",
    "\u2028line\u2029paragraph\x85next", "</script><script>alert(1)</script>", "<b>&amp;</b>",
    "\U000e0001tag\ufffe", "a\x00b", "\ufeffmarked", "yes", "1e5", "2020-01-01", "~", "%s {0} ${1}",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with its page."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make()
        report()
    return folder / "run"


@pytest.fixture
def run(made, visit):  # noqa: ARG001 - which goes to an empty folder
    """A copy of that run."""
    shutil.copytree(made, "run")
    return open_run("run")


def set_mark(page, row, verdict, label=None, remark=""):
    said = {"verdict": verdict, "label": label, "remark": remark}
    page.evaluate("([row, said]) => page.marks.set(row, said)", [row, said])


def mark_of(page, row):
    said = page.evaluate("row => page.marks.of(row)", row)
    return said and Mark(said["verdict"], said["label"], said["remark"])


def saved(page, name):
    """Save a file with its button, and return where it lies."""
    with page.expect_download() as download:
        page.locator(f"#marks button[data-save='{name}']").click()
    assert download.value.suggested_filename == name
    download.value.save_as(name)
    return Path(name)


def open_image(page, row):
    page.evaluate("row => { location.hash = `images?image=${row}` }", row)
    page.wait_for_selector(f"#lightbox[open] .mark-editor[data-image='{row}']")


def close(page):
    """Close the lightbox, and the images that were open before."""
    for _ in range(5):
        if not page.locator("#lightbox").is_visible():
            return
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    pytest.fail("the lightbox does not close")


def read(path, run):
    """Read a file of marks as `--marks` does."""
    selection = SelectOptions().choose(run)
    return read_marks(path, selection.images, selection.among, run.info.run_hash)


def images_of(run):
    return run.read_predictions(IMAGE_COLUMNS)


@pytest.mark.usefixtures("run")
def test_an_image_is_marked_with_the_keyboard(visit):
    page = visit()
    open_image(page, 3)
    for key, verdict in zip("1234", VERDICTS, strict=True):
        page.keyboard.press(key)
        assert mark_of(page, 3) == Mark(verdict)
        pressed = page.locator(".mark-editor [aria-pressed=true]")
        assert pressed.inner_text().endswith(verdict)
        assert page.locator(".right-class:visible").count() == (key == "1")
    page.keyboard.press("0")
    assert mark_of(page, 3) is None
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    page.wait_for_selector("#lightbox", state="hidden")
    page.keyboard.press("3")  # no image is open
    assert mark_of(page, 3) == Mark("ambiguous")
    marked = page.locator("[data-row='3'].shot")
    assert {*marked.evaluate_all("all => all.map(one => one.dataset.marked)")} == {"ambiguous"}
    assert page.locator("#marks-own .verdict-tag").all_inner_texts() == ["ambiguous"]


@pytest.mark.usefixtures("run")
def test_digits_in_a_remark_are_its_text(visit):
    page = visit()
    open_image(page, 3)
    page.keyboard.press("1")
    page.locator(".mark-editor textarea").click()
    page.keyboard.type("seen 0 to 4 times")
    page.locator(".right-label").click()
    page.keyboard.type("2 dogs")
    page.keyboard.press("Tab")
    assert mark_of(page, 3) == Mark("wrong label", None, "seen 0 to 4 times")
    assert "no class 2 dogs" in page.locator(".right-class .problem").inner_text()
    page.get_by_role("button", name="say so in the remark").click()
    assert mark_of(page, 3) == Mark("wrong label", None, "seen 0 to 4 times, 2 dogs")


def test_the_right_class_is_typed_or_guessed(visit, run):
    page = visit()
    label, pred = (
        run.read_predictions((name,)).table[name].to_pylist()
        for name in ("label_name", "pred_name")
    )
    assert label[0] != pred[0]
    open_image(page, 0)
    page.keyboard.press("1")
    for typed, meant in [("WOLF", "wolf"), ("dog", "dog"), ("lynx", None), (label[0], None)]:
        page.locator(".right-label").fill(typed)
        page.locator(".right-label").press("Tab")
        assert mark_of(page, 0) == Mark("wrong label", meant)
    assert page.locator(".right-class .problem").inner_text() == "That is the label it has."
    page.locator(".guesses button", has_text=pred[0]).click()
    assert mark_of(page, 0) == Mark("wrong label", pred[0])
    page.locator("#lightbox-title").focus()
    page.keyboard.press("2")
    assert mark_of(page, 0) == Mark("ambiguous")
    page.keyboard.press("1")
    assert mark_of(page, 0) == Mark("wrong label", pred[0])  # it still stands there


@pytest.mark.usefixtures("run")
def test_one_goes_on_from_image_to_image_while_marking(visit):
    page = visit()
    page.locator("#tiles .shot button").first.click()
    page.wait_for_selector("#lightbox[open]")
    rows = page.locator("#tiles .shot").evaluate_all("all => all.map(one => one.dataset.row)")
    for row in rows[:3]:
        page.wait_for_selector(f".mark-editor[data-image='{row}']")
        page.keyboard.press("1")
        page.locator(".guesses button").first.click()
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".mark-editor[data-image='{rows[3]}']")
    assert page.evaluate("page.marks.rows()") == sorted(map(int, rows[:3]))
    assert all(mark_of(page, int(row)).label for row in rows[:3])


@pytest.mark.usefixtures("run")
def test_a_remark_is_a_mark_and_each_image_has_its_own(visit):
    page = visit()
    open_image(page, 0)
    page.locator(".mark-editor textarea").fill("look at its ears")
    page.locator("#lightbox-after").click()
    assert mark_of(page, 0) == Mark("interesting", None, "look at its ears")
    assert page.locator(".mark-editor textarea").input_value() == ""
    page.locator("#lightbox-before").click()
    page.wait_for_selector(".mark-editor[data-image='0']")
    assert page.locator(".mark-editor textarea").input_value() == "look at its ears"


@pytest.mark.usefixtures("run")
def test_marks_are_kept_and_another_window_knows_them(visit):
    page = visit()
    set_mark(page, 5, "bad image", remark="blurred")
    with page.expect_popup() as opened:
        page.evaluate("() => { window.open(location.href) }")
    other = opened.value
    other.wait_for_selector("#marks-own .marked-image")
    set_mark(other, 7, "ambiguous")
    page.wait_for_selector("#marks-own [data-row='7']")
    assert mark_of(page, 7) == Mark("ambiguous")
    set_mark(page, 5, "interesting")
    other.close()
    page.reload()
    page.wait_for_selector("#marks-own .marked-image")
    assert [mark_of(page, row) for row in (5, 7)] == [Mark("interesting"), Mark("ambiguous")]
    page.evaluate("""() => {
        for (const key of Object.keys(localStorage)) localStorage.setItem(key, '{"1": 7, ');
    }""")
    page.reload()
    page.wait_for_selector("#marks-none")
    assert page.evaluate("page.marks.rows()") == []


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("before", [NO_STORAGE, FULL_STORAGE], ids=["none", "full"])
def test_where_nothing_can_be_kept_it_is_said(visit, before):
    page = visit(before=before)
    open_image(page, 2)
    page.keyboard.press("1")
    page.wait_for_selector("text=It cannot be kept: it is gone when this page is closed.")
    page.keyboard.press("Escape")
    assert "save marks.json before you close it" in page.locator("#marks-said").inner_text()
    assert json.loads(saved(page, "marks.json").read_text())["marks"][0]["row"] == 2


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
    mended = pd.read_csv(path).dropna(subset="label")
    assert mended["path"].tolist() == [f"images/{row:03d}.png" for row in wrong]
    assert mended["label"].tolist() == table["pred_name"][wrong].tolist()
    selected = ends(
        "misclassified run --no-figures --select rows:labels.csv --json --notes labels.csv"
    )
    assert json.loads(selected.stdout)


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
    assert read(paths["labels.csv"], run) == wrong
    images = images_of(run)
    assert json.loads(paths["marks.json"].read_text()) == marks_tree(
        marks, images.table, run.info.run_hash
    )
    notes = yaml.safe_load(paths["notes.yaml"].read_text(encoding="utf-8"))
    assert [notes[f"row:{row}"]["observation"] for row in marks] == [
        mark.remark for mark in marks.values()
    ]
    lines = [*csv.DictReader(io.StringIO(paths["labels.csv"].read_text(encoding="utf-8")))]
    assert [unquoted(line["remark"]) for line in lines] == [mark.remark for mark in wrong.values()]
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


def theirs(run, marks, name="anna.json", **changes):
    tree = marks_tree(marks, images_of(run).table, run.info.run_hash) | changes
    Path(name).write_text(json.dumps(tree), encoding="utf-8")


def test_marks_of_a_colleague_are_told_apart_and_taken_over(visit, run):
    said = {
        0: Mark("wrong label", "dog", "<b>sure</b>"),
        3: Mark("ambiguous"),
        6: Mark("bad image"),
    }
    theirs(run, said)
    write_run_marks(run, {9: Mark("interesting")}, images_of(run))
    report("run --marks anna.json")
    page = visit()
    heads = page.locator("#marks-others h3").all_inner_texts()
    assert heads == ["Marks of run/marks.json", "Marks of anna.json"]
    assert page.locator("#marks-own li").count() == 0
    assert page.locator("#marks-others li").count() == 4
    assert page.evaluate("page.marks.rows()") == []
    set_mark(page, 3, "interesting", remark="mine")
    open_image(page, 0)
    assert "<b>sure</b>" in page.locator(".theirs").inner_text()
    page.locator(".theirs").get_by_role("button", name="take over").click()
    assert mark_of(page, 0) == said[0]
    assert page.locator(".mark-editor textarea").input_value() == "<b>sure</b>"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="take over 1 that you have not marked").last.click()
    assert [mark_of(page, row) for row in said] == [
        said[0], Mark("interesting", None, "mine"), said[6],
    ]  # fmt: skip
    others = page.locator("#marks-others").inner_text()
    assert "1 mark taken over; 1 image that you marked otherwise kept as you did." in others
    assert "yours: interesting" in others


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


@pytest.mark.usefixtures("run")
def test_all_is_forgotten_once_it_is_confirmed(visit):
    page = visit()
    for row in range(3):
        set_mark(page, row, "ambiguous")
    page.click("#marks-forget")
    assert "Forget 3 marks?" in page.locator("#marks-sure").inner_text()
    page.keyboard.press("Enter")  # the focus is on keeping them
    assert page.locator("#marks-sure").is_hidden()
    assert page.evaluate("page.marks.rows()") == [0, 1, 2]
    page.click("#marks-forget")
    page.click("#marks-forget-yes")
    assert page.evaluate("page.marks.rows()") == []
    assert page.locator("#marks-none").is_visible()
    page.reload()
    page.wait_for_selector("#marks-none")
    assert page.evaluate("page.marks.rows()") == []


@pytest.mark.usefixtures("run")
def test_marked_images_are_a_view(visit):
    page = visit()
    for row in (2, 5, 30):
        set_mark(page, row, "bad image")
    page.locator("#marks-said a", has_text="3 bad image").click()
    page.wait_for_selector("#tiles .shot[data-row='30']")
    rows = page.locator("#tiles .shot").evaluate_all(
        "all => all.map(one => Number(one.dataset.row))"
    )
    assert sorted(rows) == [2, 5, 30]


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

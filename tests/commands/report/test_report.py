"""`errlens report` on runs that were imported from small tables, without a browser."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import errlens
from errlens import formats
from errlens.run.csv_tables import read_csv
from tests.conftest import call, ends, make_run, paint
from tests.report.pages import add_parts, data_of, make, report, section, text_of


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_two_calls_write_the_same_bytes():
    make()
    add_parts()
    report()
    first = text_of(), text_of("summary.md")
    report()
    assert first == (text_of(), text_of("summary.md"))
    info = errlens.open_run("run").info
    for text in first:
        assert info.started not in text
        assert info.finished not in text


def test_images_that_are_gone_are_named():
    make()
    for path in Path("images").iterdir():
        path.unlink()
    said = report()
    assert "--data-root" in said.stderr
    assert "images/000.png: no such file" in section("health", text_of())
    Path("elsewhere/images").mkdir(parents=True)
    make_again = [f"elsewhere/images/{row:03d}.png" for row in range(48)]
    for row, path in enumerate(make_again):
        paint(Path(path), "red", size=(30 + row, 20), seed=row)
    assert "warning" not in report("run --data-root elsewhere").stderr
    ends("report run --data-root nowhere", 2)


def test_a_selection_has_a_page_of_its_own():
    make()
    add_parts()
    report()
    before = text_of()
    said = json.loads(report("run --select cat~lion --json").stdout)
    assert said["files"] == ["run/report-cat~lion.html"]
    text = text_of("report-cat~lion.html")
    assert "observation: both yawn" in text
    assert "cat taken for lion: 4 images" in text
    assert text_of() == before
    report("run --select row:1 --select 'true:dog+worst:2'")
    assert Path("run/report-row_1+true_dog+worst_2.html").exists()
    ends("report run --select fox~lion", 2)


def test_a_page_about_strange_names_lies_beside_the_others():
    make(("../up", "a/b", "c", "d"), superclasses=False, images=False)
    said = json.loads(report("run --select '../up~a/b' --json").stdout)
    assert [Path(one).parent for one in said["files"]] == [Path("run")]
    assert Path(said["files"][0]).exists()


def test_the_summary_goes_to_the_page_of_a_job(monkeypatch):
    make()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "job.md")
    Path("job.md").write_text("before\n")
    report()
    report("run --select cat~lion")
    assert Path("job.md").read_text() == f"before\n{text_of('summary.md')}\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/such/folder/job.md")
    assert "warning" in report().stderr


def test_a_missing_run_is_named():
    said = call("report nowhere")
    assert said.exit_code == 3
    assert "errlens evaluate" in said.stderr


def test_a_place_that_cannot_be_written_is_named():
    make()
    Path("run/report.html").mkdir()
    ends("report run", 3)


def test_the_command_needs_no_torch():
    make()
    add_parts()
    code = (
        "import sys\nfrom errlens.cli import app\n"
        "try: app(['report', 'run', '-q'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'torchvision', 'timm', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_page_is_a_block_of_a_configuration():
    make()
    Path("config.yaml").write_text("out: run\nreport:\n  select: [cat~lion]\n")
    ends("run config.yaml -q")
    assert Path("run/report-cat~lion.html").exists()


def test_a_number_is_written_alike_on_terminal_page_and_summary():
    make(each=400, images=False)  # 1,600 images: a share has two decimals
    add_parts()
    terminal = call("import table.csv -o again --classes classes.json --labels names").stdout
    pairs = call("confusion run --no-figures").stdout
    report()
    page_text, summary = text_of(), Path("run/summary.md").read_text()
    top1 = errlens.open_run("run").metrics["top1"]
    written = formats.share(top1["value"], top1["n"])
    assert re.fullmatch(r"\d\d\.\d\d %", written)
    reach = formats.share_range(top1["low"], top1["high"], top1["n"])
    for text in (terminal, page_text, summary):
        assert written in text
        assert reach in text
    first = read_csv(Path("run/confusion/pairs.csv"), text=()).iloc[0]
    gain = formats.points(first["gain_if_solved"])
    assert gain.endswith(" pp")
    for text in (pairs, page_text, summary):
        assert gain in text


def test_it_ends_with_the_page_in_a_line_that_terminals_make_clickable():
    make()
    assert report().stdout.endswith("\n\nThe page: run/report.html\n")


def test_a_picture_that_cannot_be_read_is_not_said_to_lie_elsewhere():
    make()
    Path("images/000.png").write_bytes(b"no picture")
    said = report().stderr
    assert "1 of " in said
    assert "cannot be shown: 'images/000.png'" in said
    Path("images/000.png").unlink()
    assert "--data-root DIR says where the images lie now" in report().stderr


def marks_of_the_page(name="report.html"):
    return data_of(text_of(name))["marks"]


def write_marks(place, marks, **changes):
    tree = {"marks": marks, **changes}
    Path(place).write_text(json.dumps(tree), encoding="utf-8")


def test_marks_of_colleagues_are_on_the_page():
    make()
    write_marks(
        "anna.json", [{"row": 0, "verdict": "wrong label", "label": "DOG", "remark": " a "}]
    )
    Path("labels.csv").write_text("row,label\n3,wolf\n")
    Path("notes.yaml").write_text("row:6: {observation: dark}\ncat~lion: {idea: more}\n")
    write_marks("run/marks.json", [{"row": 9, "verdict": "ambiguous"}])
    report("run --marks anna.json --marks labels.csv --marks notes.yaml")
    assert marks_of_the_page()["given"] == [
        {"name": "run/marks.json", "marks": {"9": ["ambiguous", None, ""]}},
        {"name": "anna.json", "marks": {"0": ["wrong label", "dog", "a"]}},
        {"name": "labels.csv", "marks": {"3": ["wrong label", "wolf", ""]}},
        {"name": "notes.yaml", "marks": {"6": ["interesting", None, "dark"]}},
    ]
    assert {"0", "3", "6", "9"} <= data_of(text_of(), "pictures")["uris"].keys()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("marks.json", "", "cannot be read as JSON"),
        ("marks.json", "[1]", "is no marks.json"),
        ("marks.json", '{"marks": [{"row": 48, "verdict": "ambiguous"}]}', "about row 48"),
        ("marks.json", '{"marks": [{"row": 1, "verdict": "\\u001b[2J"}]}', "no verdict"),
        ("labels.csv", "row,label\n0,lynx\n", "no class of the run"),
        ("notes.yaml", "row:0: {verdict: [a]}", "must be text"),
        ("marks.png", "", "is none of"),
        ("not_there.json", None, "does not exist"),
    ],
)
def test_marks_that_cannot_be_read_end_the_command_and_change_nothing(name, text, message):
    make()
    report()
    before = text_of()
    if text is not None:
        Path(name).write_text(text, encoding="utf-8")
    said = call(f"report run --marks {name}")
    assert said.exit_code in (2, 3)
    assert message in " ".join(said.output.split())
    assert "\x1b[2J" not in said.output
    assert text_of() == before


def test_a_file_without_marks_is_told():
    make()
    ends("misclassified run --no-figures -q")
    said = report("run --marks run/misclassified/worst.csv")
    assert "there are no marks in" in said.stderr


@pytest.mark.parametrize("damaged", ["{", '{"marks": [{"row": 99, "verdict": "ambiguous"}]}', None])
def test_damaged_marks_in_the_run_folder_are_told_and_the_page_does_without(damaged):
    run = make()
    if damaged is None:
        run.marks_file.symlink_to("/etc/passwd")
    else:
        run.marks_file.write_text(damaged)
    said = report()
    assert "the marks in the run folder are not shown" in said.stderr
    assert "The marks in the run folder are not shown" in section("marks", text_of())
    assert marks_of_the_page()["given"] == []
    ends("report run -q --select marked", 3)


def test_marked_images_are_selected():
    make()
    write_marks(
        "run/marks.json", [{"row": 9, "verdict": "ambiguous"}, {"row": 7, "verdict": "bad image"}]
    )
    report("run --select marked:bad-image")
    assert data_of(text_of("report-marked_bad-image.html"))["facts"].keys() >= {"7"}
    ends("report run -q --select marked")
    ends("report run -q --select marked:interesting", 2)
    ends("report run -q --select marked:odd", 2)


def test_names_that_the_page_shows_escaped_are_there_as_they_are():
    table = pd.DataFrame(
        {
            "path": ["a.png", "b\n.png", "a.png", "c.png"],
            "label": ["cat", "cat", "dog", "\u202ecow"],
            "pred": "cat",
            "confidence": 0.5,
        }
    )
    make_run(table, classes=("cat", "dog"), options="--allow-unknown")
    report()
    marks = marks_of_the_page()
    assert {row: [*names.values()] for row, names in marks["odd"].items()} == {
        "1": ["b\n.png", "b\n.png", "cat"],
        "2": ["a.png#2", "a.png", "dog"],
        "3": ["c.png", "c.png", "\u202ecow"],
    }

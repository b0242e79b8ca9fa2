"""What a notebook shows of runs and results."""

import base64
import re
import shutil
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.commands.notebook import framed_page, pictures
from errlens.commands.notebook import run as run_module
from errlens.commands.notebook.framed_page import framed
from errlens.commands.notebook.markup import ROWS, shown
from errlens.commands.notebook.pictures import Picture, pictures_among
from errlens.commands.report.result import ReportResult
from errlens.run.folder import RunFolder
from tests.conftest import make_run
from tests.report.pages import EVIL, make

FOOL = "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def text_in(html):
    """Return what is read of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", " ", html))


def tags_in(html):
    return set(re.findall(r"<(\w+)", html))


def test_a_run_is_a_card_with_what_matters_most():
    make()
    run = errlens.open_run("run")
    assert repr(run) == "Run('run')"
    card = run._repr_html_()
    said = text_in(card)
    assert "64.6 % right (31 of 48 images; 95 % interval" in said
    assert "table.csv, 48 images" in said
    assert "run.report() " in said
    assert said.count("more often than chance") == 0
    first = errlens.diagnose(run, no_figures=True).findings[0].statement
    assert first in text_in(run._repr_html_())
    assert card.startswith("<div")
    assert "http" not in card
    assert len(card) < 5_000


def test_once_there_is_a_page_the_card_leads_to_it():
    make(images=False)
    run = errlens.open_run("run")
    page = run.report()
    assert page.page_file == Path("run/report.html")
    assert 'href="run/report.html"' in run._repr_html_()


def test_the_colours_are_those_of_the_notebook():
    make(images=False)
    run = errlens.open_run("run")
    html = run._repr_html_() + errlens.confusion(run, no_figures=True)._repr_html_()
    colours = re.findall(r"(?:color|background)[^:;]*: *([^;\"]+)", html)
    assert set(colours) <= {"inherit", "transparent"}


def test_hostile_names_are_text():
    table = pd.DataFrame(
        {"path": [f"{EVIL[0]}{FOOL}{row}.png" for row in range(8)], "label": [*EVIL, *EVIL]}
    )
    table["pred"] = [EVIL[1], EVIL[0], *EVIL[2:], *EVIL]
    make_run(table, "runs/evil", classes=EVIL)
    Path("runs/evil").rename(f"runs/{EVIL[1]}")
    run = errlens.open_run()
    results = [
        run,
        errlens.confusion(run, no_figures=True),
        errlens.misclassified(run, no_figures=True),
        errlens.diagnose(run, no_figures=True),
        errlens.check(run, fail_under={f"recall:{EVIL[1]}": 0.5}),
        errlens.what_if(run, drop=EVIL[0]),
    ]
    for result in results:
        html = result._repr_html_()
        assert not {"script", "img", "svg"} & tags_in(html)
        assert FOOL not in html
    assert EVIL[0] in text_in(results[1]._repr_html_())


def test_a_run_that_is_damaged_or_in_work_says_so():
    make(images=False)
    run = errlens.open_run("run")
    run.metrics_file.write_text("{")
    assert "metrics.json" in text_in(run._repr_html_())
    run.metrics_file.unlink()
    assert "has no metrics yet" in text_in(run._repr_html_())


def test_the_card_of_a_large_run_reads_no_predictions(monkeypatch):
    make(images=False)
    errlens.diagnose("run", no_figures=True)
    monkeypatch.setattr(run_module, "LARGE", 47)
    shutil.rmtree("run/predictions")
    assert "64.6 % right (95 % interval" in text_in(errlens.open_run("run")._repr_html_())
    shutil.rmtree("run/diagnosis")
    assert "64.6 % right (95 % interval" in text_in(errlens.open_run("run")._repr_html_())


def test_a_run_without_labels_is_a_card_too():
    make(images=False, label=False)
    assert "nothing is right or wrong" in text_in(errlens.open_run("run")._repr_html_())


def test_every_table_that_is_written_is_a_frame():
    make(images=False)
    run = errlens.open_run("run")
    found, missed = (
        errlens.confusion(run, no_figures=True),
        errlens.misclassified(run, no_figures=True),
    )
    diagnosed = errlens.diagnose(run, no_figures=True)
    newer = shutil.copytree("run", "newer")
    compared = errlens.compare("run", newer, no_figures=True)
    tables = {
        found.folder: {*dict(found.tables.tables()), "matrix"},
        missed.folder: {*dict(missed.tables.tables())},
        diagnosed.folder: {*diagnosed.tables},
        compared.folder: {*compared.tables()},
    }
    for folder, known in tables.items():
        assert {path.stem for path in folder.glob("*.csv")} == known
    assert diagnosed.tables["findings"]["statement"].tolist() == [
        finding.statement for finding in diagnosed.findings
    ]


def test_the_matrix_and_the_classes_of_a_run_are_tables():
    run = errlens.open_run(make(images=False).path)
    images = run.predictions.frame
    expected = pd.crosstab(images["label_name"], images["pred_name"])
    counts = errlens.confusion(run, no_figures=True).counts
    for label in expected.index:
        for pred in expected.columns:
            assert counts.loc[label, pred] == expected.loc[label, pred]
    assert counts.to_numpy().sum() == 48
    recall = run.classes.set_index("class_name")["recall"]
    assert recall["cat"] == pytest.approx((images["pred_name"] == "cat")[:12].mean())


def test_gates_and_what_if_have_a_table():
    make(images=False)
    gates = errlens.check("run", fail_under={"top1": 0.1, "recall:cat": 0.99})
    assert not gates.passed
    assert gates.table["passed"].tolist() == [gate.passed for gate in gates] == [True, False]
    changed = errlens.what_if("run", merge="cat+lion")
    assert changed.table.set_index("metric").loc["top1", "now"] == pytest.approx(
        changed.new.metrics["top1"]["value"]
    )


def test_the_first_picture_is_shown_and_all_are_paths():
    make()
    found = errlens.confusion("run")
    assert repr(found.figures) == "<2 pictures: matrix.png, superclasses.png>"
    picture = found.figures["matrix.png"]
    with Image.open(picture) as image:
        assert image.format == "PNG"
    html = found._repr_html_()
    assert base64.b64encode(Path("run/confusion/matrix.png").read_bytes()).decode() in html
    assert picture._repr_png_() == Path(picture).read_bytes()


def test_a_large_picture_or_one_that_is_gone_is_its_path(monkeypatch):
    Path("gallery").mkdir()
    Image.new("RGB", (9, 9)).save("gallery/a.png")
    assert Picture(Path("gallery/b.png"))._repr_png_() is None
    monkeypatch.setattr(pictures, "LARGEST", 10)
    among = pictures_among(Path(), ["gallery/a.png"])
    assert among["gallery/a.png"]._repr_png_() is None
    assert repr(among["gallery/a.png"]) == "<gallery/a.png>"
    assert "img" not in tags_in(shown("found", pictures=among))


def test_of_a_long_table_the_first_rows_are_shown():
    table = pd.DataFrame({"name": [f"n{row}" for row in range(ROWS + 5)], "share": 0.5})
    html = shown("found", table)
    assert html.count("<tr") == ROWS + 1
    assert "and 5 more rows" in html
    assert "and" not in shown("found", table.head(3))


def test_what_is_missing_in_a_table_is_a_dash():
    table = pd.DataFrame({"a": [None, pd.NA, float("nan"), float("inf"), True, 1234, 0.25]})
    said = text_in(shown("", table)).split()
    assert said == ["a", "-", "-", "-", "infinite", "yes", "1,234", "0.2500"]


def test_a_large_page_is_a_link(monkeypatch):
    Path("run").mkdir()
    page = Path("run/report.html")
    page.write_text("<p>all</p>")
    assert "iframe" in tags_in(framed(page))
    monkeypatch.setattr(framed_page, "LARGEST", 5)
    html = framed(page)
    assert "iframe" not in tags_in(html)
    assert "open it in a browser" in html
    page.unlink()
    assert "is not there" in ReportResult(None, None, [page], None)._repr_html_()


def test_a_run_of_python_stands_wherever_a_run_may():
    make(images=False)
    Path("runs").mkdir()
    Path("run").rename("runs/newest")
    run = errlens.open_run()
    assert run.path == Path("runs/newest")
    assert isinstance(run, RunFolder)
    assert errlens.misclassified(run, no_figures=True).files

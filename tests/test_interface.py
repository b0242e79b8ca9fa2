"""What Python is offered is what the commands do."""

import doctest
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import errlens
from errlens.commands.registry import COMMANDS
from errlens.errors import NotARun, UnfitOption
from tests.conftest import REPOSITORY, ends
from tests.report.pages import make

# They take a configuration, make a file, or last until Ctrl-C.
NOT_FOR_PYTHON = {"run", "cache-key", "view"}
# `import` is a word of Python, and `errlens.report` a room.
OTHER_NAMES = {
    "import": "import_predictions",
    "report": "write_report",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_notebook_in_the_map_runs_as_it_is_shown():
    Path("sample_data").symlink_to(REPOSITORY / "sample_data")
    failed, tried = doctest.testfile(
        str(REPOSITORY / "errlens/README.md"), module_relative=False, encoding="utf-8"
    )
    assert tried > 10
    assert failed == 0


def test_each_command_is_a_function():
    names = {
        OTHER_NAMES.get(name, name.replace("-", "_").replace(" ", "_"))
        for name in COMMANDS.keys() - NOT_FOR_PYTHON
    }
    assert names <= set(errlens.__all__)
    for name in errlens.__all__:
        assert inspect.getdoc(getattr(errlens, name)), name


def test_importing_it_imports_nothing_heavy():
    code = "import errlens, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "pandas", "numpy", "typer", "pydantic"} & set(loaded)


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_may_be_strings_and_one_value_a_list_of_one(kind):
    make()
    found = errlens.misclassified(
        kind("run"), select="true:cat", data_root=kind("."), no_figures=True
    )
    assert set(found.selected["label_name"]) == {"cat"}
    again = errlens.misclassified(kind("run"), select=["true:cat"], no_figures=True)
    assert again.selected.equals(found.selected)
    opened = errlens.open_run(kind("run"))
    assert opened.path == Path("run")
    assert errlens.misclassified(opened, no_figures=True).files == found.files


def test_it_prints_nothing_unless_it_is_asked_to(capsys):
    make()
    errlens.confusion("run", no_figures=True)
    assert capsys.readouterr() == ("", "")
    errlens.confusion("run", no_figures=True, quiet=False)
    assert capsys.readouterr().out == ends("confusion run --no-figures").stdout


def test_without_a_run_it_is_the_newest():
    make()
    Path("runs").mkdir()
    Path("run").rename("runs/newest")
    assert errlens.check(fail_under={"top1": 0.99})[0].passed is False


def test_a_number_may_stand_for_the_text_of_an_option():
    make()
    assert errlens.check("run", fail_under={"top1": 0.1}, baseline="run", max_drop=0.005)
    with pytest.raises(UnfitOption, match="max_drop"):
        errlens.check("run", fail_under={"top1": 0.1}, max_drop=[1])


def test_what_is_no_option_or_no_value_is_refused_with_a_note():
    make()
    with pytest.raises(UnfitOption, match="no option 'selct'") as refused:
        errlens.misclassified("run", selct="errors")
    assert refused.value.__notes__ == ["hint: did you mean select?"]
    for wrong in ({"top": 0}, {"top": "many"}, {"rank": "worst"}, {"tiles": 10**9}):
        with pytest.raises(UnfitOption, match=next(iter(wrong))):
            errlens.misclassified("run", **wrong)
    with pytest.raises(NotARun) as refused:
        errlens.write_report("nowhere")
    assert refused.value.__notes__[0].startswith("hint: errlens evaluate")


def test_a_run_is_imported_from_a_table():
    Path("table.csv").write_text("path,label,pred\na.png,cat,cat\nb.png,dog,cat\n")
    run = errlens.import_predictions("table.csv", out="run")
    assert run.metrics["top1"]["value"] == 0.5
    assert errlens.import_predictions("table.csv").path == Path("runs/table-imported")


def test_every_result_says_in_a_few_short_lines_what_was_found():
    make()
    wrong = "17 of 48"
    found = errlens.confusion("run", no_figures=True)
    assert repr(found).startswith(f"<{wrong} images wrong, ")
    assert "in RUN/confusion>" in repr(found)
    missed = errlens.misclassified("run", no_figures=True)
    assert repr(missed).startswith(f"<{wrong} images wrong, ")
    assert missed.tables.worst["row"].nunique() == 17
    assert missed.tables.notes is None
    results = [
        found,
        missed,
        errlens.open_run("run"),
        errlens.check("run", fail_under={"top1": 0.99}),
        errlens.what_if("run", drop="cat"),
        errlens.write_report("run"),
        errlens.diagnose("run", no_figures=True),
        errlens.analyze("run"),
        errlens.compare(shutil.copytree("run", "newer"), "run", no_figures=True),
    ]
    for result in results:
        lines = repr(result).splitlines()
        assert 1 <= len(lines) <= 8
        assert "DataFrame" not in repr(result)
        assert "[48 rows" not in repr(result)
    assert "report.html" in repr(results[5])
    assert "report.html" in repr(results[7])
    assert "failed" in repr(results[3])


@pytest.mark.parametrize("name", ["report", "import_"])
def test_the_name_of_a_command_leads_to_its_function(name):
    code = f"import errlens; errlens.{name}('runs/first')"
    for before in ("", "import errlens.report; " * (name == "report")):
        said = subprocess.run(
            [sys.executable, "-c", before + code], capture_output=True, text=True, check=False
        )
        function = OTHER_NAMES[name.rstrip("_")]
        assert f"errlens.{function}" in said.stderr.splitlines()[-1]
        assert hasattr(errlens, function)


def test_tables_are_a_line_in_a_notebook():
    make(images=False)
    missed = errlens.misclassified("run", no_figures=True).tables
    assert repr(missed).startswith(f"<worst: {len(missed.worst)} rows, collect: ")
    found = errlens.confusion("run", no_figures=True).tables
    assert repr(found).startswith(f"<cells: {len(found.cells)} row")
    assert "\n" not in repr(missed) + repr(found)

"""What Python may give for the options of a command."""

import dataclasses
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens.commands.check.options import CheckOptions
from errlens.commands.confusion.options import ConfusionOptions
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.import_.options import ImportOptions
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.options.config import config_text, read_config
from errlens.commands.options.python import options_from, path_from, plain
from errlens.commands.registry import COMMANDS
from errlens.commands.what_if.options import WhatIfOptions
from errlens.errors import BadClassFile, ErrlensError, UnfitOption
from tests.report.pages import make

FUNCTIONS = {
    "analyze": errlens.analyze,
    "evaluate": errlens.evaluate,
    "import": errlens.import_predictions,
    "confusion": errlens.confusion,
    "misclassified": errlens.misclassified,
    "diagnose": errlens.diagnose,
    "explain": errlens.explain,
    "compare": errlens.compare,
    "check": errlens.check,
    "what-if": errlens.what_if,
    "report": errlens.write_report,
}
# What else a call needs, so that it comes to look at the path.
WITH = {
    "analyze": {"data": "nowhere"},
    "evaluate": {"data": "nowhere"},
    "import": {"table": "nowhere.csv"},
    "check": {"fail_under": {"top1": 0.1}},
    "what-if": {"drop": "cat"},
}


def places():
    """Yield each option that is a path, may be one, or is a list of paths."""
    for command in FUNCTIONS:
        kind = COMMANDS[command].options
        hints = get_type_hints(kind)
        for field in dataclasses.fields(kind):
            parts = {hints[field.name], *get_args(hints[field.name])}
            if Path in parts or list[Path] in parts:
                yield command, field.name


PLACES = [*places()]


def made(kind, **given):
    return options_from(kind, given)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_there_are_paths_to_be_tried_of_every_function():
    assert {command for command, _ in PLACES} == {*FUNCTIONS}
    assert len(PLACES) > 30


@pytest.mark.parametrize(("command", "name"), PLACES)
@pytest.mark.parametrize("kind", [str, Path])
def test_every_path_of_every_command_may_be_a_text_and_start_at_home(command, name, kind, home):
    options = COMMANDS[command].options
    needed = [
        field.name for field in dataclasses.fields(options) if field.default is dataclasses.MISSING
    ]
    given = {**dict.fromkeys(needed, "x"), **WITH.get(command, {}), name: kind("~/x.csv")}
    assert getattr(options_from(options, given), name) in (home / "x.csv", [home / "x.csv"])


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("command", "name"), PLACES)
def test_every_function_takes_every_path_as_a_text(command, name):
    given = {**WITH.get(command, {}), name: "nowhere/x.csv"}
    runs = [given.pop("runs")] * 2 if name == "runs" else ["old", "new"] * (command == "compare")
    with pytest.raises(ErrlensError):  # and no other failure: none of it is there
        FUNCTIONS[command](*runs, **given)


def test_who_has_no_home_is_left_as_a_shell_leaves_it():
    assert path_from("path", "~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")


def test_a_list_of_classes_in_a_file_may_lie_at_home_too(home):
    assert made(WhatIfOptions, drop="~/few.txt").drop == [f"{home}/few.txt"]
    assert made(MisclassifiedOptions, select="A~B").select == ["A~B"]


@pytest.mark.parametrize("value", [3.0, np.int64(3), np.array(3.0), pd.Series([3]).max()])
def test_a_number_of_numpy_or_pandas_is_a_number(value):
    assert made(ConfusionOptions, top=value).top == 3


@pytest.mark.parametrize(
    "value",
    [
        ["row:3", "row:5"],
        ("row:3", "row:5"),
        {"row:5", "row:3"},
        np.array(["row:3", "row:5"]),
        pd.Series(["row:3", "row:5"], index=[17, 4]),
        pd.Index(["row:3", "row:5"]),
        pd.Categorical(["row:3", "row:5"]),
        (f"row:{row}" for row in (3, 5)),
        {"row:3": 0, "row:5": 1}.keys(),
    ],
)
def test_whatever_holds_texts_is_a_list_of_them(value):
    assert made(MisclassifiedOptions, select=value).select == ["row:3", "row:5"]


@pytest.mark.parametrize("value", [[1, 3], (1, 3), range(1, 4, 2), np.array([1, 3]), "1,3"])
def test_whatever_holds_numbers_is_a_text_of_them(value):
    assert made(InvarianceOptions, severity=value).severity == "1,3"


THREE = [0.1, 0.2, 0.3]


@pytest.mark.parametrize("value", [tuple(THREE), THREE, np.array(THREE), pd.Series(THREE)])
def test_three_numbers_are_three_numbers(value):
    assert made(EvaluateOptions, data="x", mean=value).mean == (0.1, 0.2, 0.3)


def test_flags_are_true_or_false():
    assert made(ConfusionOptions, soft=np.True_).soft is True
    assert made(ConfusionOptions, soft=0).soft is False


def test_a_mapping_stands_for_what_is_typed_with_an_equals_sign():
    limits = {"top1": np.float32(0.5), "recall:cat": "60%"}
    assert made(CheckOptions, fail_under=limits).fail_under == ["top1=0.5", "recall:cat=60%"]
    assert made(DiagnoseOptions, cost={"ill": np.int64(5)}).cost == ["ill=5"]
    assert made(ImportOptions, table="x", prob_column={"score": "3"}).prob_column == ["score=3"]
    # These values are read as Python: a text stays one only in quotes.
    arguments = {"depth": np.int64(3), "pool": "avg", "name": "3"}
    expected = ["depth=3", "pool='avg'", "name='3'"]
    assert made(EvaluateOptions, data="x", model_kwargs=arguments).model_kwargs == expected


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (ConfusionOptions, {"run": ["a"]}, "such as 'folder/file', is wanted, not a list"),
        (ConfusionOptions, {"run": True}, "such as 'folder/file', is wanted, not True"),
        (ConfusionOptions, {"top": 3.5}, "top: a whole number is wanted, not 3.5"),
        (ConfusionOptions, {"top": True}, "top: a whole number is wanted, not True"),
        (ConfusionOptions, {"top": [3]}, "top: a whole number is wanted, not a list"),
        (ConfusionOptions, {"soft": 1.5}, "soft: True or False is wanted, not 1.5"),
        (ConfusionOptions, {"order": 7}, "order: it should be 'given'"),
        (MisclassifiedOptions, {"select": ["row:3", None]}, "select[1]: a text is wanted"),
        (MisclassifiedOptions, {"select": pd.DataFrame({"a": [1]})}, "not a DataFrame"),
        (WhatIfOptions, {"relabel": pd.DataFrame()}, "relabel[0]: a path, such as"),
        (EvaluateOptions, {"data": pd.DataFrame()}, "data: a path, such as"),
        (EvaluateOptions, {}, "data: a path, such as 'folder/file', is wanted"),
        (EvaluateOptions, {"data": "x", "mean": 0.5}, "mean: three numbers"),
        (EvaluateOptions, {"data": "x", "crop_pct": "all"}, "crop_pct: a number is wanted"),
        (EvaluateOptions, {"data": "x", "classes": ["a", None]}, "classes[1]: a text is wanted"),
        (EvaluateOptions, {"data": "x", "out": object()}, "out: a path, such as"),
        (ConfusionOptions, {"superclasses": ["a"]}, "superclasses: a path, such as"),
        (ConfusionOptions, {"superclasses": {"a": None}}, "superclasses[a]: a text is wanted"),
    ],
)  # fmt: skip
def test_what_is_of_no_use_is_refused_with_the_name_of_the_argument(kind, given, said):
    with pytest.raises(UnfitOption) as refused:
        options_from(kind, given)
    assert said in str(refused.value)
    assert "Input" not in str(refused.value)


@pytest.mark.usefixtures("home")
def test_a_run_is_opened_by_a_path_and_nothing_else():
    for wrong in (5, [], True, object()):
        with pytest.raises(UnfitOption, match=r"^path: a path"):
            errlens.open_run(wrong)


@pytest.mark.usefixtures("home")
def test_classes_and_superclasses_need_no_file():
    Path("table.csv").write_text("path,label,pred\na.png,0,0\nb.png,1,0\n")
    kinds = {"cat": "pet", "cow": "cattle"}
    run = errlens.import_predictions(
        "table.csv",
        out="run",
        classes=np.array(["cat", "cow"]),
        labels="indices",
        superclasses=kinds,
    )
    assert run.info.classes.names == ("cat", "cow")
    assert run.info.superclasses.as_mapping(run.info.classes) == kinds
    other = errlens.confusion(run, superclasses={"cat": "one", "cow": "one"}, no_figures=True)
    assert len(other.tables.exceptional) == 0
    assert len(errlens.confusion(run, no_figures=True).tables.exceptional) == 1
    with pytest.raises(BadClassFile, match="repeats 'cat'"):
        errlens.import_predictions("table.csv", out="twice", classes=["cat", "cat"])
    with pytest.raises(BadClassFile, match="no class of the model"):
        errlens.confusion(run, superclasses={"lion": "wild"}, no_figures=True)


def test_the_command_that_is_told_asks_for_a_file_where_python_gave_a_list():
    options = made(EvaluateOptions, data="x", classes=["a", "b"], superclasses={"a": "c"})
    assert options.again() == "errlens evaluate x --superclasses FILE --classes FILE"


@pytest.mark.usefixtures("home")
def test_runs_may_be_a_list():
    make()
    Path("run").replace("old")
    make()
    assert repr(errlens.compare(["old", "run"], no_figures=True)) == repr(
        errlens.compare("old", errlens.open_run("run"), no_figures=True)
    )
    with pytest.raises(UnfitOption, match="no run is given"):
        errlens.compare()


def test_values_within_values_are_plain_as_well():
    assert plain({"a": [np.int64(1), (np.bool_(True),)]}) == {"a": [1, [True]]}


def test_a_configuration_may_name_classes_where_they_stand(home):
    config = home.parent / "config.yaml"
    config.write_text(
        "out: run\nevaluate:\n  data: x\n  classes: [no, 1, cat]\n  superclasses: {cat: pet}\n"
    )
    options = read_config(config, {"evaluate": EvaluateOptions}).blocks["evaluate"]
    assert options.classes == ["no", "1", "cat"]
    assert options.superclasses == {"cat": "pet"}
    again = config_text(read_config(config, {"evaluate": EvaluateOptions}))
    config.write_text(again)
    assert read_config(config, {"evaluate": EvaluateOptions}).blocks["evaluate"] == options

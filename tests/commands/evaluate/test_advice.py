"""The search for the preprocessing that restores an expected accuracy, and signs to start one."""

import html
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.report.sources import verdict
from tests.commands.evaluate.conftest import evaluate_shades
from tests.conftest import make_run

OWN = """
import torch


def prepare(photo):
    return torch.full((3, 8, 8), -7.0)
"""


def test_the_setting_that_restores_what_was_expected_is_named_with_its_command(shades, golden):
    result = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert result.exit_code == 0, result.output
    golden("expect.stdout.txt", result.stdout.replace(str(shades), "greys"))
    assert "falls short of the expected 0.95; this setting restores it" in result.stderr
    command = shlex.split(result.stdout.strip().splitlines()[-1].removeprefix("Next: "))
    again = CliRunner().invoke(app, [*command[1:], "--json"])
    assert json.loads(again.stdout)["metrics"]["top1"]["value"] == 1
    assert "diagnosis" not in json.loads(again.stdout)


def test_analyze_shows_the_settings_that_restore_the_result_as_well(shades):
    options = "--model shades:Shades --img-size 8 -o run --expect top1=0.95"
    said = CliRunner().invoke(app, shlex.split(f"analyze {shades} {options}"))
    assert re.search(r"^instead +top-1 +images not used", said.stdout, re.MULTILINE)
    assert re.search(r"^--mean 0 0 0, --std 1 1 1 +100.0 % ", said.stdout, re.MULTILINE)
    assert said.stdout.count("to evaluate with it: errlens analyze ") == 1


def test_where_no_preprocessing_restores_the_result_other_reasons_are_named(shades):
    labels = {"dark": "middle", "middle": "bright", "bright": "dark"}  # no setting mends these
    for name, other in labels.items():
        (shades / name).rename(shades.with_name(other))
    for name in labels:
        shades.with_name(name).rename(shades / name)
    result = evaluate_shades(shades, "-o run --trust-labels --expect top1=0.95 --json")
    found = json.loads(result.stdout)["diagnosis"]
    assert (found["restoring"], found["command"], found["untold_arguments"]) == ([], None, {})
    assert found["further"].endswith("add it, as --model-kwargs K=V")
    assert found["further"] in result.stderr


def test_the_diagnosis_is_part_of_the_json(shades):
    result = evaluate_shades(shades, "-o run --expect top1=0.95 --json")
    found = json.loads(result.stdout)["diagnosis"]
    assert found["expected"] == 0.95
    assert found["restoring"][0]["changes"] == {"mean": [0, 0, 0], "std": [1, 1, 1]}
    assert found["command"].startswith("errlens evaluate ")
    assert "--mean 0.0 0.0 0.0" in found["command"]


def test_a_quiet_run_still_says_what_restores_the_result(shades):
    result = evaluate_shades(shades, "-o run --expect top1=0.95 -q")
    assert result.stdout == ""
    assert "restores it: --mean 0 0 0, --std 1 1 1" in result.stderr


def test_an_expectation_that_is_met_costs_nothing(shades):
    result = evaluate_shades(shades, "-o run --expect top1=0.95 --mean 0 0 0 --std 1 1 1")
    assert result.exit_code == 0
    assert "trying" not in result.stderr


@pytest.mark.parametrize(
    "text", ["0.9", "top1", "top1=", "top1=1.2", "top1=0", "top5=0.9", "top1=x"]
)
def test_an_expectation_that_makes_no_sense_is_a_mistake_of_usage(run_errlens, photos, text):
    result = run_errlens(f"{photos} -o run --expect {text}")
    assert result.exit_code == 2
    assert "--expect" in result.stderr


def test_a_transform_of_ones_own_and_an_expectation_exclude_each_other(photos, tiny):
    arguments = f"evaluate {photos} --model {tiny} --transform a:b --expect top1=0.9"
    assert CliRunner().invoke(app, shlex.split(arguments)).exit_code == 2


def test_too_few_images_are_not_tried_on(shades):
    for path in shades.rglob("*.png"):
        if int(path.stem) > 4:
            path.unlink()
    result = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert result.exit_code == 0
    assert "15 images will not do" in result.stderr


def test_an_interrupted_search_leaves_a_complete_run(shades, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.model.restoring.search.hits_by_setting", interrupt)
    result = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert result.exit_code == 130
    assert "the evaluation itself is complete" in result.stderr
    assert errlens.open_run("run").info.status == "complete"


def test_a_result_that_looks_wrong_asks_for_the_accuracy_of_the_training(shades):
    result = evaluate_shades(shades, "-o run -q --mean 0.9 0.9 0.9 --std 0.1 0.1 0.1")
    assert result.exit_code == 0
    assert "classes are never predicted" in result.stderr
    command = result.stderr.partition("errlens evaluate ")[2].splitlines()[0]
    words = ["evaluate", *shlex.split(command)]
    unfilled = CliRunner().invoke(app, words)  # as it was proposed: nobody's guess is met
    assert unfilled.exit_code == 2
    assert "hint: X is the accuracy that you expect" in unfilled.stderr
    again = CliRunner().invoke(app, ["top1=0.95" if word == "top1=X" else word for word in words])
    assert again.exit_code == 0, again.output
    assert "restores it: --mean 0 0 0, --std 1 1 1" in again.stderr
    assert "If you expected more" not in again.stderr


def test_the_doubt_is_part_of_the_json_and_a_good_result_has_none(shades):
    wrong = "--mean 0.9 0.9 0.9 --std 0.1 0.1 0.1"
    found = json.loads(evaluate_shades(shades, f"-o run --json {wrong}").stdout)["doubt"]
    assert found["signs"]
    assert found.keys() == {"signs", "command"}
    assert "--expect top1=X" in found["command"]
    result = evaluate_shades(shades, "-o good --json --mean 0 0 0 --std 1 1 1")
    assert "doubt" not in json.loads(result.stdout)
    assert "If you expected more" not in result.stderr


def test_page_and_summary_begin_with_the_doubt_that_the_terminal_warned_of(shades):
    evaluate_shades(shades, "-o wrong -q --mean 0.9 0.9 0.9 --std 0.1 0.1 0.1")
    evaluate_shades(shades, "-o good -q --mean 0 0 0 --std 1 1 1")
    doubtful, accuracy, *_ = verdict(errlens.open_run("wrong")).sentences
    assert doubtful.startswith("In doubt: 2 of 3 classes are never predicted: ")
    assert "33.3 % right" in accuracy
    CliRunner().invoke(app, ["report", "wrong", "-q"])
    page = html.unescape(Path("wrong/report.html").read_text("utf-8")).replace("\xa0", " ")
    assert page.index(f">{doubtful}</p>") < page.index("33.3 % right")
    assert Path("wrong/summary.md").read_text("utf-8").splitlines()[2].startswith("In doubt: ")
    assert "100.0 % right" in verdict(errlens.open_run("good")).sentences[0]


def test_a_result_that_the_user_expected_is_not_doubted_anywhere(shades):
    wrong = "--mean 0.9 0.9 0.9 --std 0.1 0.1 0.1"
    said = evaluate_shades(shades, f"-o run --expect top1=0.3 {wrong}")
    assert "If you expected more" not in said.stderr
    run = errlens.open_run("run")
    assert run.info.expected_top1 == 0.3
    assert "33.3 % right" in verdict(run).sentences[0]
    CliRunner().invoke(app, ["report", "run", "-q"])
    assert "In doubt" not in Path("run/report.html").read_text("utf-8")
    assert "In doubt" not in Path("run/summary.md").read_text("utf-8")
    again = evaluate_shades(shades, f"-o run {wrong}")  # what was expected once still is
    assert "If you expected more" not in again.stderr
    assert errlens.open_run("run").info.expected_top1 == 0.3
    missed = "--mean 0.9 0.9 0.9 --std 0.1 0.1 0.2 --img-size 9"  # another run
    evaluate_shades(shades, f"-o missed -q --expect top1=0.6 {missed}")
    assert "In doubt" in verdict(errlens.open_run("missed")).sentences[0]
    assert (
        evaluate_shades(shades, f"-o run -q --overwrite {wrong}").stderr.count("expected more") == 1
    )


def test_what_was_expected_does_not_make_another_run(shades):
    evaluate_shades(shades, "-o run -q")
    before = errlens.open_run("run").info.run_hash
    assert evaluate_shades(shades, "-o run -q --expect top1=0.6").exit_code == 0
    assert errlens.open_run("run").info.run_hash == before


def test_of_predictions_from_elsewhere_and_of_a_transform_of_ones_own_nothing_is_doubted(shades):
    evaluate_shades(shades, "-o wrong -q --mean 0.9 0.9 0.9 --std 0.1 0.1 0.1")
    Path("greys_own.py").write_text(OWN)
    CliRunner().invoke(
        app,
        shlex.split("evaluate greys --model shades:Shades --transform greys_own:prepare -o own -q"),
    )
    table = errlens.open_run("wrong").predictions.frame[["path", "label_name", "pred_name"]]
    table.columns = ["path", "label", "pred"]
    make_run(table, "imported", classes=["bright", "dark", "middle"])
    for name in ("own", "imported"):
        assert "33.3 % right" in verdict(errlens.open_run(name)).sentences[0]

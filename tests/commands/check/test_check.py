"""Gates from the command line to the exit code, the files and the words."""

import html
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from errlens.run.folder import RunFolder
from tests.conftest import call, ends, make_run

CLASSES = ("Abyssinian", "Bengal", "Egyptian Mau", "a=b", "x~y")
N = 40  # images of each class


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(name="run", *, wrong=4, prefix="", classes=CLASSES, label=True) -> RunFolder:
    """Import a run in which the first images of each class are taken for the next class."""
    rows = [
        (f"{prefix}{one}-{index}.jpg", one, classes[(place + (index < wrong)) % len(classes)])
        for place, one in enumerate(classes)
        for index in range(N)
    ]
    table = pd.DataFrame(rows, columns=["path", "label", "pred"])
    if not label:
        table["label"] = None
    return make_run(table, name, classes=classes)


def gates(run="run") -> dict[str, dict]:
    found = json.loads(Path(run, "gates.json").read_text(), parse_constant=pytest.fail)
    return {one["metric"]: one for one in found["gates"]}


def test_gates_that_hold_exit_with_0_and_say_so(golden):
    make()
    said = ends(
        "check run --fail-under top1=0.9 --fail-under recall:Bengal=90% --fail-over n_failed=0 "
        "--fail-under 'precision:x~y=0.899999999' --fail-over 'pair:x~y~a=b=0.05'"
    )
    golden("check.passed.txt", said.stdout)


def test_gates_that_fail_exit_with_1_and_say_why(golden):
    make("old", wrong=2)
    run = make()
    said = call(
        "check run --fail-under top1=0.9000001 --fail-under 'recall:a=b=0.95' --fail-over ece=0.1 "
        "--fail-over pair:Bengal~abyssinian=0.01 --baseline old --max-drop 0.5pp"
    )
    assert said.exit_code == 1, said.output
    golden("check.failed.txt", said.stdout)
    assert "Traceback" not in said.stderr
    assert said.stderr == "error: 5 of 5 gates failed\n"  # which ones, the table has said
    found = gates()
    assert found["top1"]["value"] == run.metrics["top1"]["value"] == 0.9
    assert found["pair:Bengal~Abyssinian"]["value"] == 4 / 80
    assert found["ece"]["value"] is None
    assert found["drop:top1"]["details"]["broken"] == 10


def test_where_no_table_is_shown_the_error_names_the_gates():
    make()
    for option in ("-q", "--json"):
        said = ends(f"check run --fail-under top1=0.95 --fail-under top1=0.5 {option}", 1)
        assert said.stderr == "error: 1 of 2 gates failed: 'top1 >= 0.95'\n"


def test_a_failure_that_is_no_error_is_said_with_the_results():
    make()
    said = ends("check run --fail-under top1=0.95 --exit-zero")
    assert said.stderr == ""
    assert said.stdout.count("FAIL ") == 1
    assert "Failed: 1 of 1 gate.\n" in said.stdout


def test_a_drop_that_is_a_gain_is_called_one():
    make("old", wrong=6)
    make(wrong=2)
    said = ends("check run --baseline old --max-drop 0.5pp").stdout
    (line,) = [line for line in said.splitlines() if line.startswith("PASS ")]
    assert "gain of 10.0 pp   not surely >   0.5 pp   gain of " in line
    assert " or worse " in line
    assert "-" not in line


def test_a_drop_is_said_in_words_wherever_gates_are_shown():
    make("old", wrong=2)
    make(wrong=60)
    ends("check run --baseline old --max-drop 0.7pp --exit-zero")
    assert gates()["drop:top1"]["op"] == "low <="  # as programs know it
    junit = RunFolder(Path("run")).junit_file.read_text()
    assert 'name="drop:top1 not surely > 0.7 pp"' in html.unescape(junit)
    ends("report run")
    for page in ("report.html", "summary.md"):
        text = Path("run", page).read_text()
        assert "not surely > 0.7 pp" in html.unescape(text)
        assert "top1 has dropped by more than 0.7 pp on the" in text
        assert "low <=" not in html.unescape(text)


def test_the_files_are_of_this_run_and_hold_no_times():
    run = make()
    ends("check run --fail-under top1=0.95 --fail-under top1=0.5", 1)
    tree = json.loads(run.gates_file.read_text())
    assert (tree["schema_version"], tree["run_hash"]) == (1, run.info.run_hash)
    assert tree["passed"] is False
    assert [one["passed"] for one in tree["gates"]] == [False, True]
    assert set(tree["gates"][0]) == {
        "name", "metric", "op", "threshold", "value", "low", "high", "n", "passed", "reason",
    }  # fmt: skip
    suite = ElementTree.parse(run.junit_file).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    before = run.gates_file.read_bytes(), run.junit_file.read_bytes()
    ends("check run --fail-under top1=0.95 --fail-under top1=0.5 -q", 1)
    assert (run.gates_file.read_bytes(), run.junit_file.read_bytes()) == before


def test_it_needs_no_confusion_and_only_what_the_gates_ask_for():
    run = make()
    ends("check run --fail-over pair:Bengal~Abyssinian=0.5")
    assert not (run.path / "confusion").exists()
    run.part_file(0).unlink()
    ends("check run --fail-under top1=0.5 --fail-under recall:Bengal=0.5")
    run.classes_file.unlink()
    ends("check run --fail-under top1=0.5")
    ends("check run --fail-under recall:Bengal=0.5", 3)
    ends("check run --fail-over pair:Bengal~Abyssinian=0.5", 3)


def test_torch_is_never_imported():
    make("old")
    make()
    options = ["--fail-under", "top1=0.5", "--fail-over", "pair:Bengal~Abyssinian=1"]
    code = (
        "import sys\nfrom errlens.cli import app\n"
        f"try: app({['check', 'run', *options, '--baseline', 'old']!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"torch", "torchvision", "timm", "matplotlib"})
    assert "junitparser" in loaded


def test_exit_codes_of_a_program_of_its_own(warm):
    make()

    def code(arguments):
        said = warm.run(f"check {arguments}", Path.cwd())
        assert "Traceback" not in said.stderr
        return said.returncode

    assert code("run --fail-under top1=0.9") == 0
    assert code("run --fail-under top1=0.91") == 1
    assert code("run --fail-under top1=0.91 --exit-zero") == 0
    assert code("run") == 2
    assert code("nothing --fail-under top1=0.9") == 3


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        ("run", 2, "errlens check run --fail-under top1=0.80"),
        ("run --fail-under tp1=0.8", 2, "did you mean top1"),
        ("run --fail-under recall:Bengl=0.8", 2, "did you mean Bengal?"),
        ("run --fail-over pair:Bengl~Abyssinian=0.8", 2, "did you mean Bengal?"),
        ("run --max-drop 1pp --fail-under top1=0.5", 2, "--max-drop needs --baseline"),
        ("run --baseline run --max-drop 0.5", 2, "0.5pp or 50pp"),
        ("run --baseline run --min-overlap 0.5", 2, "--min-overlap '0.5'"),
        ("run --baseline classes.json", 3, "no baseline.parquet"),
        ("run --baseline other", 3, "neither by its name nor by its content"),
        ("run --baseline relabelled", 3, "none with the same label"),
        ("nothing --fail-under top1=0.8", 3, "no run folder"),
    ],
)
def test_what_cannot_be_checked_is_refused_and_writes_nothing(arguments, exit_code, says):
    make("other", prefix="other-")
    renamed = make("relabelled", classes=tuple(f"new {name}" for name in CLASSES))
    run = make()
    old = pd.read_parquet(renamed.baseline_file)
    old["sample_id"] = pd.read_parquet(run.baseline_file)["sample_id"]
    old.to_parquet("relabelled.parquet")
    said = call(f"check {arguments.replace(' relabelled', ' relabelled.parquet')}")
    assert said.exit_code == exit_code, said.output
    assert says in said.stderr
    assert said.stdout == ""
    assert not run.gates_file.exists()
    assert not run.junit_file.exists()


@pytest.mark.parametrize("limit", ["under", "over"])
def test_a_run_without_labels_fails_every_gate(limit):
    make("old")
    make(label=False)
    said = call(f"check run --fail-{limit} top1=0.5 --fail-{limit} recall:Bengal=0 --baseline old")
    assert said.exit_code == 1, said.output
    assert {one["passed"] for one in gates().values()} == {False}
    assert all(one["reason"] and one["value"] is None for one in gates().values())


def test_the_same_run_has_not_dropped_whichever_way_it_is_named():
    make()
    for baseline in ("run", "run/baseline.parquet"):
        ends(f"check run --baseline {baseline}")
        assert gates()["drop:top1"]["value"] == 0


def test_a_drop_is_found_and_may_be_allowed():
    make("old", wrong=2)
    make()
    ends("check run --baseline old", 1)
    assert "drop of" not in call("check run --baseline old -q").stdout
    said = ends("check run --baseline old --max-drop 4pp")
    assert "10 broken, 0 fixed, exact one-sided McNemar p = 0.001" in said.stdout
    ends("check old --baseline run")


@pytest.mark.parametrize(("missing", "exit_code"), [("fail", 1), ("pass", 0)])
def test_a_missing_baseline_does_what_was_said(missing, exit_code):
    make()
    said = call(f"check run --baseline main/baseline.parquet --baseline-missing {missing}")
    assert said.exit_code == exit_code, said.output
    assert "'main/baseline.parquet' does not exist" in said.stdout
    assert ("--baseline-missing pass" in said.stdout) == (missing == "fail")


def test_another_data_set_fails_even_where_nothing_dropped():
    run = make("old")
    old = pd.read_parquet(run.baseline_file)
    some_of_it = old.assign(
        sample_id=np.where(np.arange(len(old)) < 50, old["sample_id"], old["sample_id"] + "?"),
        content_hash=None,
    )
    some_of_it.astype({"content_hash": "object"}).to_parquet("some.parquet")
    make()
    said = call("check run --baseline some.parquet")
    assert said.exit_code == 1, said.output
    assert "the data set is another one: only 50 images in both" in said.stdout
    ends("check run --baseline some.parquet --min-overlap 25%")
    ends("check run --baseline some.parquet --min-overlap 51", 1)


def test_json_is_one_object_and_the_exit_code_stays():
    make()
    said = call("check run --fail-under top1=0.91 --json")
    assert said.exit_code == 1
    found = json.loads(said.stdout, parse_constant=pytest.fail)
    assert (found["command"], found["passed"]) == ("check", False)
    assert found["gates"] == list(gates().values())
    assert found["files"] == ["gates.json", "junit.xml"]


def test_changed_figures_are_refused():
    run = make()
    metrics = json.loads(run.metrics_file.read_text())
    for changed in ("no json", json.dumps({**metrics, "run_hash": "of another"})):
        run.metrics_file.write_text(changed)
        ends("check run --fail-under top1=0.5", 3)
    run.metrics_file.write_text(json.dumps(metrics))
    run.classes_file.write_text("class_name,n,recall\nBengal,40,1\n")
    said = call("check run --fail-under recall:Bengal=0.5")
    assert said.exit_code == 3, said.output
    assert "is damaged" in said.stderr


def test_next_shows_the_images_behind_the_first_failure():
    make()

    def next_after(gate):
        said = call(f"check run {gate} --exit-zero")
        (line,) = (one for one in said.stdout.splitlines() if one.startswith("Next: "))
        command = line.removeprefix("Next: errlens ")
        ends(f"{command} --no-figures")
        return command

    assert next_after("--fail-under top1=1") == "misclassified run"
    pair = next_after("--fail-over pair:Bengal~Abyssinian=0")
    assert pair == "misclassified run --select 'Bengal~Abyssinian'"
    assert next_after("--fail-under recall:Bengal=1") == (
        "misclassified run --select true:Bengal+errors"
    )


def test_a_configuration_may_hold_gates():
    make("old", wrong=2)
    Path("project.yaml").write_text(
        "out: run\n"
        "import: {table: table.csv, classes: classes.json, labels: names}\n"
        "check:\n"
        "  fail_under: {top1: 0.9, 'recall:Bengal': 90%}\n"
        "  fail_over: ['n_failed=0']\n"
        "  baseline: old\n"
        "  max_drop: 5pp\n"
        "  min_overlap: 100%\n"
    )
    make()
    said = ends("run project.yaml --overwrite")
    assert set(gates()) == {"top1", "recall:Bengal", "n_failed", "drop:top1"}
    said = call("run project.yaml --set check.max_drop=0pp --overwrite")
    assert said.exit_code == 1, said.output
    assert (
        call("run project.yaml --set check.exit_zero=true --set check.max_drop=0pp").exit_code == 0
    )


def test_after_a_gate_that_failed_the_chain_goes_on(monkeypatch):
    make()
    from errlens.commands.misclassified import command

    calls = []
    monkeypatch.setattr(command, "misclassified", lambda *given: calls.append(given))
    Path("project.yaml").write_text(
        "out: run\ncheck: {fail_under: {top1: 1.0}}\nmisclassified: {}\n"
    )
    ends("run project.yaml", 1)
    assert len(calls) == 1


def test_where_nothing_can_be_written_is_said():
    run = make()
    run.junit_file.mkdir()
    said = call("check run --fail-under top1=0.5")
    assert said.exit_code == 3, said.output
    assert "'run/junit.xml' cannot be written" in said.stderr

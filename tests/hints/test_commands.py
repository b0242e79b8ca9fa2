"""Hints about configurations, heads, names of outputs, and remarks that propose something."""

import shlex
from pathlib import Path

import pandas as pd
import pytest

import errlens
from tests.conftest import COLOURS, REPOSITORY, make_run, paint
from tests.hints.conftest import CLASSES, table
from tests.hints.walking import IN_PHOTOS, IN_TABLES, Walk, moved_away

CACHE_KEY = "commands.cache_key.command.planned_run"


@pytest.mark.parametrize("typed", ["evaluate photos --modle x", "network prob", "hlep"])
def test_a_usage_mistake_leads_to_the_help(walk: Walk, typed):
    said = walk.refused(typed, "cli._our_usage_error:hint")
    assert walk.ends(said.command(" says")).text.startswith("Usage: errlens")


@IN_PHOTOS
@pytest.mark.parametrize(("wrong", "right"), [("modle", "model"), ("zebra", "limit")])
def test_a_key_that_is_not_known_leads_to_one_that_is(walk: Walk, wrong, right):
    text = "out: new\nevaluate:\n  data: photos\n  {}: tiny:spatial\n"
    Path("run.yaml").write_text(text.format(wrong))
    said = walk.refused("run run.yaml", "commands.options.config._unknown_key:hint")
    assert right in said.hint
    Path("run.yaml").write_text(text.format("model"))
    walk.ends("run run.yaml -q")


@IN_TABLES
def test_a_key_without_a_run_takes_a_block_that_makes_one(walk: Walk):
    Path("run.yaml").write_text("out: new\nconfusion: {}\n")
    said = walk.refused("cache-key run.yaml", f"{CACHE_KEY}:hint2")
    assert "'import'" in said.hint
    Path("run.yaml").write_text("out: new\nimport:\n  table: table.csv\nconfusion: {}\n")
    walk.ends("cache-key run.yaml")


@IN_PHOTOS
def test_a_key_with_a_head_is_known_once_that_is_fitted(walk: Walk):
    head = "{data: photos, model: 'tiny:spatial', save_head: head.safetensors}"
    run = "{data: photos, model: 'tiny:spatial', checkpoint: head.safetensors}"
    Path("run.yaml").write_text(f"out: new\nnetwork_probe: {head}\nevaluate: {run}\n")
    said = walk.refused("cache-key run.yaml", f"{CACHE_KEY}:hint")
    assert "once that has run" in said.hint
    walk.ends("run run.yaml -q")
    walk.ends("cache-key run.yaml")


@IN_PHOTOS
def test_a_head_takes_folders_of_classes(walk: Walk):
    typed = "network probe photos/red --model tiny:spatial --save-head head.safetensors -q"
    said = walk.refused(typed, "commands.network.probe.images.classes_of:hint")
    assert "a folder for each class" in said.hint
    walk.ends(typed.replace("photos/red", "photos"))


@IN_PHOTOS
@pytest.mark.parametrize("way", ["another name", "move it away"])
def test_a_file_in_the_place_of_a_head_stays(walk: Walk, way):
    Path("head.safetensors").write_bytes(b"mine")
    typed = "network probe photos --model tiny:spatial --save-head head.safetensors -q"
    said = walk.refused(typed, "network.probe.check_target:hint")
    assert way in said.hint
    if way == "move it away":
        moved_away("head.safetensors")
    walk.ends(typed if way == "move it away" else typed.replace("head.", "new."))


@IN_TABLES
def test_a_baseline_that_is_not_there_may_be_passed_for_now(walk: Walk):
    said = walk.ends("check run --baseline nowhere", says="FAIL ")
    assert "--baseline-missing pass" in said.text, "analysis.gates.drop.without_baseline:text"
    walk.ends("check run --baseline nowhere --baseline-missing pass", says="Passed")


@IN_TABLES
def test_a_baseline_that_is_misspelt_leads_to_the_one_that_is_meant(walk: Walk):
    said = walk.ends("check run --baseline odl", says="FAIL ")
    assert "odl" in said.text, "analysis.gates.drop.without_baseline:text"
    walk.ends(["check", "run", "--baseline", said.near()[0]], says="40 images of both runs")


@IN_TABLES
def test_fewer_images_may_be_compared_where_that_is_said(walk: Walk):
    make_run(table().iloc[::3], "few", classes=CLASSES)
    said = walk.ends("check run --baseline few", says="FAIL ")
    assert "--min-overlap" in said.text, "analysis.gates.drop._too_few:text"
    assert "data set is another" not in walk.ends("check run --baseline few --min-overlap 5").text


@IN_TABLES
def test_what_is_not_stored_is_stored_by_another_import(walk: Walk):
    said = walk.ends("what-if run --drop dog", says="would store what is missing")
    assert "probabilities of all classes" in said.text
    assert "is missing" not in walk.ends("what-if sure --drop dog").text


@IN_PHOTOS
@pytest.mark.parametrize("decided", [False, True])
def test_outputs_that_seem_exchanged_are_put_right_by_the_command(walk: Walk, decided):
    for number, colour in enumerate(COLOURS):
        shown = {"red": "green", "green": "red"}.get(colour, colour)
        for index in range(4 if decided and colour == "blue" else 12):
            paint(Path("swapped", colour, f"{index}.png"), shown, seed=20 * number + index)
    said = walk.refused(
        "evaluate swapped --model tiny:spatial -o new -q",
        "commands.evaluate.label_space.contradicts_labels:hint",
    )
    names = Path("new/suggested_classes.txt")
    names.write_text(names.read_text().replace("? ", ""))
    later = walk.refused("confusion new", "run.reading.ReadableRun.require_complete:hint")
    walk.ends(said.command())
    walk.ends("confusion new-relabelled --no-figures")
    assert str(names) in later.hint
    walk.ends(f"evaluate swapped --model tiny:spatial --classes {names} -o newer -q")
    assert "--trust-labels" in later.hint
    walk.ends("evaluate swapped --model tiny:spatial -o new -q --trust-labels --overwrite")


@IN_TABLES
def test_names_that_are_one_or_not_are_decided_by_a_file(walk: Walk):
    words = ["cat", "Cat", "dog", "dog", "cat", "Cat"]
    paths = [f"{row}.jpg" for row in range(6)]
    pd.DataFrame({"path": paths, "label": words, "pred": words}).to_csv("spelt.csv", index=False)
    said = walk.ends("import spelt.csv -o new", says="which names are classes")
    assert "--classes FILE" in said.text, "commands.evaluate.spelling:text"
    Path("three.txt").write_text("cat\nCat\ndog\n")
    assert "--classes" not in walk.ends("import spelt.csv -o newer --classes three.txt").text


@IN_TABLES
def test_a_class_that_is_called_like_a_missing_label_is_named_in_a_file(walk: Walk):
    at = "imported.table._without_fillers:text"
    labels, paths = ["flu", "none", "cold", "none"], [f"{row}.jpg" for row in range(4)]
    table = pd.DataFrame({"path": paths, "label": labels, "pred": ["flu", "cold", "cold", "flu"]})
    table.to_csv("filled.csv", index=False)
    said = walk.ends("import filled.csv -o new", says="2 labels are 'none': taken for no label")
    assert "pass --classes FILE" in said.text, at
    Path("all.txt").write_text("cold\nflu\nnone\n")
    assert "no label" not in walk.ends("import filled.csv -o newer --classes all.txt").text
    assert errlens.open_run("newer").metrics["top1"]["n"] == 4


@IN_PHOTOS
def test_an_accuracy_that_was_expected_is_restored_by_the_next_command(walk: Walk):
    at = "commands.evaluate.advice_view.show_advice:next"
    Path("dark.py").write_text(DARK)
    for number, colour in enumerate(COLOURS):
        for index in range(20):
            paint(Path("many", colour, f"{index}.png"), colour, seed=100 * number + index)
    said = walk.ends(
        "evaluate many --model dark:net -o new --mean 0.9 0.5 0.1 --expect top1=0.95", says="Next: "
    )
    walk.ends(shlex.split(said.text.partition("Next: errlens ")[2]), says="1.0000")
    assert "instead" in said.text, at


@IN_PHOTOS
def test_a_doubtful_result_is_restored_where_the_user_knows_the_accuracy(walk: Walk):
    at = "commands.evaluate.advice.advise:text"
    Path("dark.py").write_text(DARK)
    for number, colour in enumerate(COLOURS):
        for index in range(20):
            paint(Path("many", colour, f"{index}.png"), colour, seed=100 * number + index)
    said = walk.ends("evaluate many --model dark:net -o new -q --mean 0.9 0.5 0.1")
    assert "in place of X" in " ".join(said.text.split()), at
    walk.ends([word.replace("top1=X", "top1=0.95") for word in said.command()], says="restore it")


@IN_PHOTOS
def test_an_accuracy_is_given_as_the_hint_writes_it(walk: Walk):
    at = "commands.evaluate.options.expected_accuracy:hint"
    typed = "evaluate photos --model tiny:spatial -o new -q --expect"
    for unfit in ("top1=X", "top1=92", "0.92"):
        hint = walk.refused(f"{typed} {unfit}", at).hint
        walk.ends(f"{typed} {hint.partition('--expect ')[2].partition(' is ')[0]}")


@IN_PHOTOS
def test_an_argument_that_the_weights_do_not_tell_is_tried_by_the_next_command(walk: Walk):
    at = "commands.evaluate.advice_view.show_advice:next2"
    digits = REPOSITORY / "sample_data/digits"
    call = (
        f"--checkpoint {digits}/test_resnet.digits.safetensors --img-size 64 --crop-pct 1 "
        "--crop-mode squash"
    )
    walk.ends(f"evaluate {digits}/val {call} --limit 60 --model-kwargs output_stride=16 -o true")
    true = errlens.open_run("true").predictions.frame  # of these labels, each is right
    table = pd.DataFrame({"path": true["path"], "label": true["pred_name"]})
    table.to_csv("true.csv", index=False)
    typed = f"evaluate true.csv --root {digits}/val {call} -o new --expect top1=1"
    said = walk.ends(typed, says="Next: ")
    assert "the reason may be another" in said.text, "commands.evaluate.advice._on_arguments:text2"
    walk.ends(shlex.split(said.text.partition("Next: errlens ")[2]), says="60 of 60")
    assert "output_stride=16" in said.text, at


@IN_PHOTOS
def test_where_nothing_is_known_to_try_the_option_is_named(walk: Walk):
    at = "commands.evaluate.advice._on_arguments:text"
    Path("dark.py").write_text(DARK)
    for number, colour in enumerate(COLOURS):
        for index in range(20):
            shown = COLOURS[(number + index % 2) % 3]
            paint(Path("many", colour, f"{index}.png"), shown, seed=100 * number + index)
    said = walk.ends("evaluate many --model dark:net -o new --expect top1=0.99")
    assert "add it, as --model-kwargs K=V" in " ".join(said.text.split()), at


DARK = """
from tiny import Colours


def net():
    return Colours()
"""

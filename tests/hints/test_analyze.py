"""Hints of `analyze` and `run`, of the program itself, and of its functions in Python."""

import shlex
import webbrowser
from pathlib import Path

import pytest
import shellingham

import errlens
from tests.hints.test_data import manifest
from tests.hints.test_places import STOPPED, stopped
from tests.hints.walking import IN_PHOTOS, Walk

OF_RUN = "commands.analyze.options.AnalyzeOptions.of_run"
ON = "--model tiny:spatial -o new -q --top 1"


@IN_PHOTOS
def test_where_photos_lie_is_said_by_data_and_by_root(walk: Walk):
    manifest()
    Path("list.csv").write_text(Path("list.csv").read_text().replace("photos/", ""))
    said = walk.refused(f"analyze list.csv --data-root photos {ON}", f"{OF_RUN}:hint")
    assert "--root, where paths in a manifest start" in said.hint
    walk.ends(f"analyze list.csv --root photos {ON}")
    assert "DATA says where photos lie" in said.hint
    walk.ends(f"analyze photos {ON}")  # which finds what has been done


@IN_PHOTOS
def test_predictions_that_are_made_are_made_otherwise_from_the_photos(walk: Walk):
    said = walk.refused("analyze seen --limit 3 -q", f"{OF_RUN}:hint2")
    assert "the folder of photos in its place" in said.hint
    walk.ends(f"analyze photos --limit 3 {ON}")
    assert "leave the option out" in said.hint
    walk.ends("analyze seen -q --top 1")


@IN_PHOTOS
@pytest.mark.parametrize("typed", [f"analyze photos {ON}", "run run.yaml -q"])
def test_what_was_stopped_between_its_steps_goes_on_by_the_same_command(walk: Walk, typed):
    blocks = "evaluate:\n  data: photos\n  model: tiny:spatial\nconfusion: {}\nreport: {}\n"
    Path("run.yaml").write_text(f"out: new\n{blocks}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errlens.commands.confusion.command.find", stopped)
        said = walk.refused(typed, "commands.chain.walk.Walk.take:hint", until=STOPPED)
    assert "the same command goes on" in said.hint
    assert not Path("new/report.html").exists()
    walk.ends(typed)
    assert Path("new/report.html").exists()


@IN_PHOTOS
def test_what_was_stopped_before_its_first_step_was_done_begins_again(walk: Walk):
    typed = f"analyze photos {ON}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errlens.commands.evaluate.command.prepare", stopped)
        said = walk.refused(typed, "commands.chain.walk.Walk.take:hint", until=STOPPED)
    assert not Path("new").exists()
    assert "the same command begins again" in said.hint
    walk.ends(typed)


@IN_PHOTOS
def test_a_page_to_open_is_made_by_the_block_that_is_named(walk: Walk):
    opened: list[str] = []
    walk.monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    walk.monkeypatch.setenv("DISPLAY", ":0")
    text = "out: new\nevaluate:\n  data: photos\n  model: tiny:spatial\n"
    Path("run.yaml").write_text(text)
    said = walk.refused("run run.yaml -q --open", "commands.run.command.run:hint")
    Path("run.yaml").write_text(text + said.hint.split("'")[1])
    walk.ends("run run.yaml -q --open")
    assert opened == [Path("new/report.html").absolute().as_uri()]


def test_a_shell_that_cannot_complete_is_left_for_one_that_can(walk: Walk):
    at = "cli.ErrlensGroup.make_context:hint"
    walk.monkeypatch.setattr(shellingham, "detect_shell", lambda: ("dash", "/bin/dash"))
    said = walk.refused("--show-completion", at)
    assert "one of these shells" in said.hint
    walk.monkeypatch.setattr(shellingham, "detect_shell", lambda: ("bash", "/bin/bash"))
    walk.ends("--show-completion", says="complete")


@IN_PHOTOS
@pytest.mark.parametrize("wrong", ["modle", "zebra"])
def test_an_option_that_a_function_lacks_leads_to_those_it_has(walk: Walk, wrong):
    at = "commands.options.python.options_from:hint"
    said = walk.fails(lambda: errlens.evaluate("photos", **{wrong: "tiny:spatial"}), at)
    known = said.near() if wrong == "modle" else shlex.split(said.hint.replace(",", ""))
    assert "model" in known
    errlens.evaluate("photos", model="tiny:spatial", out="new", quiet=True)

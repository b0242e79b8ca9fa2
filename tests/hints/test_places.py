"""Hints about places where nothing can be written, or where something else is."""

from dataclasses import replace
from pathlib import Path

import pytest

import errlens
from errlens.errors import StaleRun
from tests.hints.walking import IN_PHOTOS, IN_TABLES, Walk, moved_away

STOPPED = 130
IMPORT = "import table.csv --classes classes.json --labels names -q -o {}"


@IN_TABLES
@pytest.mark.parametrize(
    ("place", "words"),
    [("names.txt/below", "see what stands there"), ("x" * 300, "a shorter name")],
)
def test_where_the_system_refuses_another_place_is_taken(walk: Walk, place, words):
    said = walk.refused(IMPORT.format(place), "errors.system.OutOfReach.__init__:hint")
    assert words in said.hint
    walk.ends(IMPORT.format(place[:9].replace(".", "")))


@IN_TABLES
def test_a_folder_of_other_things_is_no_place_for_a_run(walk: Walk):
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear")
    said = walk.refused(IMPORT.format("full"), "run.making.RunInProgress._no_run:hint")
    assert "another -o, or empty it" in said.hint
    walk.ends(IMPORT.format("full/new"))
    Path("full/letter.txt").unlink()
    moved_away("full/new")
    Path("full/new.away").rename("new")
    walk.ends(IMPORT.format("full"))


@IN_TABLES
@pytest.mark.parametrize("way", ["--overwrite", "-o"])
def test_a_run_of_other_data_is_made_afresh_or_elsewhere(walk: Walk, way):
    typed = IMPORT.format("german").replace("table.csv", "last.csv").replace("last", "table")
    said = walk.refused(typed, "run.making.RunInProgress._refuse_others:hint")
    assert way in said.hint
    walk.ends(f"{typed} --overwrite" if way == "--overwrite" else IMPORT.format("new"))


@IN_TABLES
def test_a_run_that_another_process_has_begun_is_written_elsewhere(walk: Walk):
    run = errlens.open_run("run")
    other = replace(run.info, settings=replace(run.info.settings, model="another"))
    with pytest.raises(StaleRun) as failure:
        run.require_own(other)
    assert "-o writes elsewhere" in failure.value.hint, "run.making.RunInProgress.require_own:hint"
    walk.ends(IMPORT.format("elsewhere2"))


@IN_TABLES
def test_a_file_in_the_place_of_results_is_moved_away(walk: Walk):
    Path("run/confusion").write_text("in the way")
    typed = "confusion run --no-figures"
    said = walk.refused(typed, "run.results.renewed_folder:hint")
    assert "move it away" in said.hint
    moved_away("run/confusion")
    walk.ends(typed)


@IN_TABLES
def test_a_link_that_leads_out_is_removed(walk: Walk):
    Path("outside").mkdir()
    Path("run/confusion").symlink_to(Path("outside").absolute())
    typed = "confusion run --no-figures"
    said = walk.refused(typed, "errors.runs.OutsideRun.__init__:hint")
    assert "remove it" in said.hint
    Path("run/confusion").unlink()
    walk.ends(typed)


@IN_PHOTOS
def test_what_was_stopped_goes_on_by_the_same_command(walk: Walk):
    typed = "evaluate photos --model tiny:spatial -o new -q"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errlens.scale.resume.run_locally", stopped)
        said = walk.refused(typed, "scale.resume.finish:hint", until=STOPPED)
    assert "the same command begins again" in said.hint
    typed += " --part-size 2"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "errlens.scale.resume.run_locally", lambda work, parts: stopped(work(parts[0]))
        )
        said = walk.refused(typed, "scale.resume.finish:hint", until=STOPPED)
    assert "stopped: 2 of " in said.text
    assert "the same command goes on" in said.hint
    walk.ends(typed)


@IN_PHOTOS
def test_where_the_search_for_other_settings_is_stopped_the_run_is_whole(walk: Walk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errlens.commands.evaluate.advice.LEAST_IMAGES", 1)
        patch.setattr("errlens.model.restoring.search.SettingsSearch.run", stopped)
        typed = "evaluate photos --model tiny:spatial -o new -q --expect top1=0.99"
        said = walk.refused(typed, "commands.evaluate.advice._diagnose:hint", until=STOPPED)
    assert "itself is complete" in said.hint
    walk.ends("check new --fail-under top1=0.5")


def stopped(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt

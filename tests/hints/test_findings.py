"""Hints about what `errlens diagnose` is asked for, and about what it found."""

import re
import shlex
from pathlib import Path

import pytest

from errlens.data.photos.changes import CHANGES
from tests.hints.test_pages import commands_on
from tests.hints.test_places import STOPPED, stopped
from tests.hints.walking import IN_PHOTOS, IN_TABLES, Row, Walk

COSTS = "analysis.findings.known.two_classes"
DIAGNOSE = "diagnose two --no-figures --cost"

ROWS = [
    Row(f"{COSTS}.read_costs:hint", f"{DIAGNOSE} cat", "--cost cat=10", "diagnose two {}"),
    Row(f"{COSTS}.read_costs:hint", f"{DIAGNOSE} cat=-1", "--cost cat=10", "diagnose two {}"),
    Row(f"{COSTS}.read_costs:hint2", f"{DIAGNOSE} cta=10", "cat", f"{DIAGNOSE} {{}}=10"),
    Row(f"{COSTS}.read_costs:hint2", f"{DIAGNOSE} zebra=10", "dog", f"{DIAGNOSE} {{}}=10"),
    Row(
        "analysis.gates.limits._named:hint",
        "check run --fail-over finding:slise=0",
        "slice",
        "check run --fail-over finding:{}=0",
    ),
    Row(
        "analysis.gates.limits._named:hint",
        "check run --fail-over finding:moon=0",
        "label_issue",
        "check run --fail-over finding:{}=0",
    ),
]


@IN_TABLES
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)


@IN_TABLES
def test_a_finding_that_is_not_there_leads_to_the_list_of_those_that_are(walk: Walk):
    at = "analysis.selection.picking.Selectable.finding:hint"
    said = walk.refused("misclassified two --no-figures --select finding:99", at)
    assert "findings.csv of errlens diagnose" in said.hint
    walk.ends("diagnose two --no-figures")
    assert '\n1,"threshold",' in Path("two/diagnosis/findings.csv").read_text()
    walk.ends("misclassified two --no-figures --select finding:1")


@IN_PHOTOS
def test_what_was_stopped_goes_on_by_the_same_command(walk: Walk):
    typed = "diagnose seen --no-figures"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errlens.commands.diagnose.searches.search_slices", stopped)
        said = walk.refused(typed, "commands.diagnose.command.find:hint", until=STOPPED)
    assert "the same command goes on" in said.hint
    walk.ends(typed)


@IN_TABLES
def test_a_page_without_causes_names_the_command_that_looks_for_them(walk: Walk):
    at = "report.sections.why.why:problem"
    walk.ends("report two")
    (diagnose,) = [words for words in commands_on("two") if words[0] == "diagnose"]
    walk.ends(diagnose)
    walk.ends("report two")
    assert not [words for words in commands_on("two") if words[0] == "diagnose"], at


# What stands in the words on how a change of the input is mended for what a user has to choose.
CHOSEN = {"--img-size": "64", "--interpolation": "nearest"}
MENDED = {
    "data.photos.changes:text": "letterbox",
    "data.photos.changes:text2": "squash",
    "data.photos.changes:text3": "larger",
    "data.photos.changes:text4": "other_filter",
    "data.photos.changes:text5": "blue_first",
}


@IN_PHOTOS
@pytest.mark.parametrize("at", MENDED)
def test_what_mends_a_change_of_the_input_is_an_option_of_evaluate(walk: Walk, at):
    (change,) = [change for change in CHANGES if change.name == MENDED[at]]
    words = shlex.split(re.search(r"--.*", change.mend)[0])
    if words[-1] in CHOSEN:
        words.append(CHOSEN[words[-1]])
    walk.ends(["evaluate", "photos", "--model", "tiny:spatial", "-o", "new", *words])

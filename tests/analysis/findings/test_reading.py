"""All findings of a run together: those known, those diagnosed, and what says that none are."""

import json
from pathlib import Path

import pytest

from errlens.analysis.findings.finding import CAUSES, KINDS, Finding, Search, as_tree
from errlens.analysis.findings.reading import (
    counts_by_kind,
    findings_tree,
    read_diagnosis,
    read_findings,
)
from errlens.errors import NoResults
from tests.report.pages import make

SLICE = Finding(
    kind="slice", statement="Dark images are wrong.", rows=(0, 3), n_errors=2, excess_errors=900.0
)
SEARCHES = [
    Search("slice", "dark images", found=1),
    Search("cluster", "images that look alike", absent="no features"),
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make(images=False)


def write(run, told=(SLICE,), **changed):
    tree = findings_tree(told, SEARCHES, run.info.run_hash, {"cat": 2.0})
    Path("run/diagnosis").mkdir(exist_ok=True)
    text = json.dumps({**tree, **changed})
    Path("run/diagnosis/findings.json").write_text(text, encoding="utf-8")


def test_what_was_diagnosed_is_ranked_with_what_is_known(run):
    write(run)
    found = read_findings(run)
    assert found.findings[0] == SLICE
    assert {finding.kind for finding in found.findings} - {*CAUSES}
    assert [*found.searches] == SEARCHES
    assert found.unread is None
    assert read_diagnosis(run).costs == {"cat": 2.0}


def test_what_is_known_may_be_out_of_date_there_and_is_read_from_the_results(run):
    write(run, [SLICE, Finding(kind="gate", statement="A gate failed.")])
    assert "gate" not in {finding.kind for finding in read_findings(run).findings}


def test_without_a_diagnosis_what_is_known_is_told_and_the_command_named(run):
    found = read_findings(run)
    assert found.findings
    assert not {finding.kind for finding in found.findings} & {*CAUSES}
    assert found.unread.command == "errlens diagnose run"


@pytest.mark.parametrize(
    "damage",
    [
        {"run_hash": "another"},
        {"findings": [{"kind": "moon"}]},
        {"findings": None},
        {"searches": [{"unknown": 1}]},
        {"costs": {"cat": "dear"}},
        {"findings": [{**as_tree(SLICE), "rows": [48]}]},
        {"findings": [{**as_tree(SLICE), "beside": [-1]}]},
    ],
    ids=str,
)
def test_a_diagnosis_that_is_not_of_this_run_is_none(run, damage):
    write(run, **damage)
    with pytest.raises(NoResults, match="diagnosis"):
        read_diagnosis(run)
    assert read_findings(run).unread


def test_kinds_are_counted_for_gates_and_what_was_not_looked_for_says_why(run):
    write(run)
    counts = counts_by_kind(run)
    assert counts.keys() == {*KINDS} - {"gate"}
    assert counts["slice"] == 1
    assert counts["patch"] == 0
    assert counts["cluster"] == "images that look alike: not looked for, no features"


def test_without_a_diagnosis_no_cause_is_counted(run):
    counts = counts_by_kind(run)
    assert all("errlens diagnose run" in counts[kind] for kind in CAUSES)
    assert counts["no_image"] == 0

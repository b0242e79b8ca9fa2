"""A comparison and failed gates are told in the words and figures of their own tables."""

from pathlib import Path

import pandas as pd
import pytest

from errlens.analysis.findings.known.collecting import known_findings
from errlens.analysis.findings.known.comparisons import from_comparison
from tests.conftest import call, make_run

N = 400


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(wrong):
    """Return predictions of cats and dogs in turn, by the rows that are wrong."""
    rows = pd.RangeIndex(N).to_series()
    label = rows.mod(2).map({0: "cat", 1: "dog"})
    pred = (rows + rows.isin([*wrong])).mod(2).map({0: "cat", 1: "dog"})
    return pd.DataFrame({"path": rows.astype(str) + ".jpg", "label": label, "pred": pred})


def runs(*, old=range(0, 80), new=range(60, 100)):
    """Import two runs of the same images by the rows that each gets wrong; return the new one."""
    make_run(table(old), "old", classes=("cat", "dog"))
    return make_run(table(new), "new", classes=("cat", "dog"))


def found(run, kind):
    return [finding for finding in known_findings(run) if finding.kind == kind]


def test_a_comparison_is_told_with_what_was_fixed_and_broken():
    run = runs()
    assert not found(run, "comparison")
    assert call("compare old new --no-figures").exit_code == 0
    (better,) = found(run, "comparison")
    assert better.statement.startswith("+10.0 pp accuracy against old (95 % interval ")
    assert "60 fixed, 20 broken" in better.statement
    assert better.rows == tuple(range(80, 100))
    assert better.n_errors == 20
    assert better.excess_errors is None
    assert better.gain.value == 20 / N
    assert better.subject["difference"] == pytest.approx(0.1)


def test_nothing_broken_leads_to_the_page():
    run = runs(new=range(0, 40))
    call("compare old new --no-figures")
    (better,) = found(run, "comparison")
    assert (better.rows, better.gain) == ((), None)
    assert better.command[0] == "report"


def test_runs_of_which_no_difference_is_known_are_no_finding():
    table = pd.DataFrame({"run": ["old", "new"], "n": [5, 5], "difference": [None, None]})
    assert not list(from_comparison(table, None))


def test_only_gates_that_failed_are_told():
    run = runs()
    assert call("check new --fail-under top1=0.95 --fail-under recall:cat=0.5").exit_code == 1
    (gate,) = found(run, "gate")
    assert gate.statement == "The gate top1 >= 0.95 failed: top1 is 0.9000, under 0.9500."
    assert gate.subject == {"gate": "top1 >= 0.95"}
    assert (gate.rows, gate.excess_errors) == ((), None)


def test_gates_of_other_predictions_are_not_told():
    runs()
    call("check new --fail-under top1=0.95")
    stale = Path("new/gates.json").read_text()
    run = make_run(table(range(10)), "other", classes=("cat", "dog"))
    Path("other/gates.json").write_text(stale)
    assert not found(run, "gate")

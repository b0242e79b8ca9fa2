"""A finding is kept whole by its files, ranked by what it explains, and told once."""

import json

import pandas as pd
import pytest

from errlens.analysis.findings.finding import (
    CAUSES,
    FINDING_COLUMNS,
    KINDS,
    RESULTS,
    RUN,
    Finding,
    Gain,
    as_tree,
    finding_table,
    first_of,
    from_tree,
    gain_of,
    ranked,
    told_once,
)
from errlens.analysis.findings.finding import (
    GENERAL as OF_THE_RUN,
)
from errlens.run.csv_tables import read_declared, write_csv

SLICE = Finding(
    kind="slice",
    statement="Dark images are wrong more often",
    rows=(4, 7, 9),
    n_errors=3,
    excess_errors=12.5,
    gain=Gain(0.04, 0.01, 0.06),
    q_value=1e-9,
    evidence="12 wrong, 3 expected",
    subject={"property": "brightness", "side": "low"},
    beside=(1, 2),
)
GENERAL = Finding(
    kind="calibration", statement="The model is too cautious", command=("report", RUN)
)


def test_every_finding_survives_json():
    for finding in (SLICE, GENERAL):
        assert from_tree(json.loads(json.dumps(as_tree(finding)))) == finding


@pytest.mark.parametrize(
    "damage",
    [{"kind": "moon"}, {"rows": None}, {"rows": ["a"]}, {"gain": [1, 2]}, {"unknown": 1}],
)
def test_what_is_no_finding_is_refused(damage):
    with pytest.raises(ValueError, match=r"finding|invalid|kind"):
        from_tree({**as_tree(SLICE), **damage})


def test_findings_csv_is_read_back_as_declared(tmp_path):
    path = tmp_path / "findings.csv"
    write_csv(path, finding_table([SLICE, GENERAL], "runs/my run"))
    table = read_declared(path, FINDING_COLUMNS)
    assert table["rank"].tolist() == [1, 2]
    assert table["command"].tolist() == [
        "errlens misclassified 'runs/my run' --select finding:1",
        "errlens report 'runs/my run'",
    ]
    assert pd.isna(table["excess_errors"][1])


def test_a_table_of_no_findings_has_its_columns():
    assert list(finding_table([], "run").columns) == list(FINDING_COLUMNS)


def test_what_explains_more_errors_comes_first_and_what_explains_none_last():
    small = Finding(kind="confusion", statement="cat and dog", excess_errors=3.0)
    assert ranked([GENERAL, small, SLICE]) == [SLICE, small, GENERAL]


def test_a_finding_about_the_whole_run_is_among_the_first():
    many = [Finding(kind="one_way", statement=str(n), excess_errors=9.0 - n) for n in range(8)]
    told = first_of(ranked([*many, GENERAL]), 5)
    assert [rank for rank, _ in told] == [1, 2, 3, 4, 9]
    assert told[-1][1] == GENERAL
    assert len(first_of(ranked(many), 5)) == 5


def test_the_same_images_are_told_once():
    again = Finding(kind="repair", statement="autocontrast repairs them", rows=(4, 7, 9))
    other = Finding(kind="repair", statement="a quarter turn repairs them", rows=(4, 20, 21))
    part = Finding(kind="cluster", statement="alike to the network", rows=(7, 9))
    assert told_once([SLICE, again, other, part, GENERAL]) == [SLICE, other, GENERAL]


def test_a_gain_lies_within_its_interval():
    gain = gain_of(30, 10, 9.0, images=500)
    assert gain.value == pytest.approx(0.04)
    assert gain.low < gain.value < gain.high


def test_each_kind_is_named_once():
    assert len(set(KINDS)) == len({*CAUSES, *RESULTS, *OF_THE_RUN})

"""Hints about gates of a run."""

import pytest

from tests.hints.walking import IN_TABLES, Row, Walk

LIMITS = "analysis.gates.limits"
DROP = "analysis.gates.drop"

ROWS = [
    Row(
        "commands.check.options.CheckOptions.__post_init__:hint",
        "check run",
        "errlens check run --fail-under top1=0.80",
        "{}",
    ),
    Row(
        f"{LIMITS}._gate:hint",
        "check run --fail-under top1",
        "--fail-under top1=0.8",
        "check run {}",
    ),
    Row(
        f"{LIMITS}._gate:hint", "check run --fail-over ece", "--fail-over top1=0.8", "check run {}"
    ),
    Row(
        f"{LIMITS}._gate:hint2",
        "check run --fail-under top1=x",
        "80%",
        "check run --fail-under top1={}",
    ),
    Row(
        f"{LIMITS}._gate:hint3",
        "check run --fail-under top1=80",
        "80%",
        "check run --fail-under top1={}",
    ),
    Row(
        f"{LIMITS}._named:hint2",
        "check run --fail-under topp1=0.8",
        "top1",
        "check run --fail-under {}=0.8",
    ),
    Row(
        f"{LIMITS}._named:hint2",
        "check run --fail-under xyz=0.8",
        "macro_f1",
        "check run --fail-under {}=0.8",
    ),
    Row(
        f"{LIMITS}._class_of:hint",
        "check run --fail-under recall:cta=0.8",
        "cat",
        "check run --fail-under recall:{}=0.8",
    ),
    Row(
        f"{LIMITS}._class_of:hint",
        "check run --fail-under recall:zebra=0.8",
        "horse",
        "check run --fail-under recall:{}=0.8",
    ),
    Row(
        f"{DROP}.read_allowed_drop:hint",
        "check run --baseline old --max-drop x",
        "0.5pp",
        "check run --baseline old --max-drop {}",
    ),
    Row(
        f"{DROP}.read_allowed_drop:hint2",
        "check run --baseline old --max-drop 0.5",
        "0.5pp",
        "check run --baseline old --max-drop {}",
    ),
    Row(
        f"{DROP}._strangers:hint",
        "check run --baseline german",
        "today's labels",
        "check run --baseline old",
    ),
    Row(
        f"{DROP}._strangers:hint2",
        "check run --baseline elsewhere",
        "baseline.parquet",
        "check run --baseline old/{}",
    ),
    Row(
        "analysis.comparison.matching._read_baseline_file:hint",
        "check run --baseline table.csv",
        "baseline.parquet",
        "check run --baseline old/{}",
    ),
]


@IN_TABLES
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)

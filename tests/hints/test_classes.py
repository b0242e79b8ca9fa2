"""Hints about classes, superclasses, and what would be with others."""

import pytest

from tests.hints.walking import IN_TABLES, Row, Walk

MERGED = "analysis.accuracy.regrouping"
CHOSEN = "analysis.accuracy.choosing.chosen_classes"
MENDED = "analysis.accuracy.mended_labels"

ROWS = [
    Row(
        f"{MERGED}.regroup:hint",
        "what-if run --merge cat+dog --merge dog+cow",
        "A+B+C",
        "what-if run --merge cat+dog+cow",
    ),
    Row(
        f"{MERGED}._merged_classes:hint",
        "what-if run --merge cat",
        "+",
        "what-if run --merge cat{}dog",
    ),
    Row(
        f"{MERGED}._merged_classes:hint2",
        "what-if run --merge cat+dgo",
        "dog",
        "what-if run --merge cat+{}",
    ),
    Row(
        f"{MERGED}._refuse_absent:hint",
        "what-if run --only cat,dog --merge cat+cow",
        "in both",
        "what-if run --only cat,dog,cow --merge cat+cow",
    ),
    Row(f"{CHOSEN}:hint", "what-if run --drop cta", "cat", "what-if run --drop {}"),
    Row(f"{CHOSEN}:hint", "what-if run --drop zebra", "cow", "what-if run --drop {}"),
    Row(
        "analysis.accuracy.choosing._listed_classes:hint",
        "what-if run --only cta.txt",
        "cat",
        "what-if run --only {}.txt",
    ),
    Row(
        "classes.lists.read_list:hint",
        "what-if run --only broken.json",
        "one name a line",
        "what-if run --only cat.txt",
    ),
    Row(
        "commands.what_if.options.WhatIfOptions.__post_init__:hint",
        "what-if run",
        "--drop",
        "what-if run {} cat",
    ),
    Row(
        f"{MENDED}._known_labels:hint",
        "what-if run --relabel cta-labels.csv",
        "cat",
        "what-if run --relabel {}-labels.csv",
    ),
    Row(
        f"{MENDED}.read_labels:hint",
        "what-if run --relabel parents.csv",
        "worst.csv",
        "what-if run --relabel {}",
    ),
    Row(
        "analysis.selection.written_tables.WrittenTable.rows_of:hint",
        "what-if run --relabel far.csv",
        "39",
        "what-if run --relabel last.csv",
    ),
    Row(
        "classes.files._refuse_twins:hint",
        "confusion run --superclasses twins.csv",
        "in one way",
        "confusion run --no-figures --superclasses parents.csv",
    ),
    Row(
        "classes.names.Superclasses.from_mapping:hint",
        "confusion run --superclasses cta.csv",
        "cat",
        "confusion run --no-figures --superclasses parents.csv",
    ),
    Row(
        "commands.confusion.command.find:hint",
        "confusion run --by superclass",
        "--superclasses",
        "confusion run --no-figures --by superclass {} parents.csv",
    ),
    Row(
        "classes.files.read_classes:hint",
        "import table.csv -o new --classes broken.json",
        ".txt",
        "import table.csv -o new --labels names --classes names{}",
    ),
    Row(
        "classes.files._names_from_text:hint",
        "import table.csv -o new --classes open.txt",
        "take away the '?",
        "import table.csv -o new --labels names --classes names.txt",
    ),
]


@IN_TABLES
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)

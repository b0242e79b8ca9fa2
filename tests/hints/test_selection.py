"""Hints about which images and which runs are meant."""

import pytest

from tests.hints.walking import IN_TABLES, Row, Walk

PARSING = "analysis.selection.parsing"
OPTIONS = "commands.compare.options.CompareOptions"

ROWS = [
    Row(
        f"{PARSING}.parse_pair:hint",
        "check run --fail-over pair:cta~dog=0.5",
        "cat",
        "check run --fail-over pair:{}~dog=0.5",
    ),
    Row(
        f"{PARSING}._misread:hint2",
        "misclassified run --no-figures --select cta~dog",
        "cat",
        "misclassified run --no-figures --select {}~dog",
    ),
    Row(
        f"{PARSING}._misread:hint2",
        "misclassified run --no-figures --select true:zebra",
        "horse",
        "misclassified run --no-figures --select true:{}",
    ),
    Row(
        f"{PARSING}._misread:hint5",
        "misclassified run --no-figures --select wrong",
        "errors",
        "misclassified run --no-figures --select {}",
    ),
    Row(
        f"{PARSING}._misread:hint",
        "misclassified run --no-figures --select true",
        "true:cat",
        "misclassified run --no-figures --select {}",
    ),
    Row(
        f"{PARSING}._misread:hint4",
        "misclassified run --no-figures --select marked:bad",
        "marked:bad-image",
        "misclassified marked --no-figures --select {}",
    ),
    Row(
        "analysis.selection.picking._marked:hint",
        "misclassified run --no-figures --select marked",
        "save its marks.json in the folder of the run",
        "misclassified marked --no-figures --select marked",
    ),
    Row(
        "analysis.marks.mark.checked_mark:hint",
        "report run --marks misspelt.csv",
        "wrong label",
        "report run --marks spelt.csv",
    ),
    Row(
        "analysis.marks.mark.checked_mark:hint2",
        "report run --marks misspelt.yaml",
        "cat",
        "report run --marks spelt.yaml",
    ),
    Row(
        f"{PARSING}._misread:hint3",
        "misclassified run --no-figures --select worst",
        "worst:5",
        "misclassified run --no-figures --select {}",
    ),
    *(
        Row(
            f"{PARSING}._misread:hint5",
            f"misclassified run --no-figures --select {typed}",
            meant,
            "misclassified run --no-figures --select {}",
        )
        for typed, meant in [
            ("horse", "true:horse"),
            ("Hrose", "pred:horse"),
            ("wrost:3", "worst:3"),
            ("erors", "errors"),
        ]
    ),
    *(
        Row(
            "analysis.selection.picking._no_image:hint",
            f"misclassified run --no-figures --select {typed}",
            "true:cat+errors",
            "misclassified run --no-figures --select {}",
        )
        for typed in ("cat/horse", "cat~cow")
    ),
    Row(
        "analysis.selection.picking._exceptional:hint",
        "misclassified run --no-figures --select exceptional",
        "--superclasses",
        "confusion run --no-figures {} parents.csv",
        then="again",
    ),
    Row(
        "commands.options.selecting.RankOption.ranking:hint",
        "misclassified run --no-figures --rank superclass",
        "--superclasses",
        "import table.csv -o run --overwrite --classes classes.json --labels names {} parents.csv",
        then="again",
    ),
    Row(
        "commands.options.selecting.RankOption.ranking:hint2",
        "misclassified run --no-figures --rank entropy",
        "prob_",
        "misclassified sure --no-figures --rank entropy",
    ),
    Row(
        "analysis.mistakes.repeats.systematic_table:hint",
        "misclassified run --no-figures --by-column camera",
        "manifest",
        "misclassified filmed --no-figures --by-column camera",
    ),
    Row(
        "analysis.mistakes.repeats.systematic_table:hint",
        "misclassified filmed --no-figures --by-column camra",
        "camera",
        "misclassified filmed --no-figures --by-column {}",
    ),
    Row(
        "analysis.selection.notes._note:hint",
        "misclassified run --no-figures --notes notes.yaml",
        "idea",
        "misclassified run --no-figures --notes good.yaml",
    ),
    Row(
        "analysis.selection.notes._notes_of_table:hint",
        "misclassified run --notes last.csv",
        "write notes into it",
        "misclassified run --notes noted.csv",
    ),
    Row(
        "analysis.comparison.by_image.changes_since:hint",
        "misclassified run --no-figures --select broken:elsewhere",
        "errlens compare elsewhere run",
        "{}",
    ),
    Row(
        f"{OPTIONS}.open_runs:hint2",
        "compare run",
        "errlens compare OLD run",
        "{}",
        fill={"OLD": "old"},
    ),
    Row(
        f"{OPTIONS}.open_runs:hint",
        "compare run run",
        "errlens compare OLD run",
        "{}",
        fill={"OLD": "old"},
    ),
    Row(f"{OPTIONS}.folder:hint", "compare old run -o run", "-o run/compare", "compare old run {}"),
    Row(
        "commands.compare.options._require_same_classes:hint",
        "compare german run",
        "--classes",
        "compare old run",
    ),
]


@IN_TABLES
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)

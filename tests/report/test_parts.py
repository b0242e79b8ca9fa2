import json
from pathlib import Path

import pandas as pd
import pytest

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS
from errlens.analysis.confusion.exceptional import EXCEPTIONAL_COLUMNS
from errlens.analysis.confusion.groups import GROUP_COLUMNS
from errlens.analysis.confusion.pairs import ABSORBED_COLUMNS, PAIR_COLUMNS
from errlens.analysis.mistakes.collecting import COLLECT_COLUMNS
from errlens.analysis.selection.notes import NOTE_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.report.pages import add_parts, fake_explanations, make, report, section, text_of


@pytest.mark.parametrize("kind", ["confusion", "misclassified", "compare"])
def test_stale_parts_are_named_with_the_command_that_renews_them(kind):
    run = make()
    add_parts()
    fake_explanations(run)
    Path("run/compare").mkdir()
    Path("run/compare/runs.csv").write_text("run,top1\nold,0.5\n")
    Path("run/compare/made_from.json").write_text(json.dumps({"run_hash": run.info.run_hash}))
    record = Path("run", kind, "made_from.json")
    record.write_text(record.read_text().replace(run.info.run_hash, "0" * 64))
    report()
    wanted = {"compare": "errlens compare OLD run"}
    text = text_of()
    assert wanted.get(kind, f"errlens {kind} run") in text
    assert "was made of other predictions" in text


def test_a_stale_or_damaged_gate_is_no_verdict():
    run = make()
    for content in ('{"gates": [], "passed": true, "run_hash": "0"}', "{", "[]", '{"gates": [1]}'):
        run.gates_file.write_text(content)
        report()
        assert "errlens check run" in section("verdict", text_of())
        assert "passed." not in section("verdict", text_of())


def test_each_table_has_the_columns_that_its_makers_declare():
    run = make()
    add_parts()
    declared = {
        "confusion/pairs.csv": PAIR_COLUMNS,
        "confusion/absorbed.csv": ABSORBED_COLUMNS,
        "confusion/groups.csv": GROUP_COLUMNS,
        "confusion/exceptional.csv": EXCEPTIONAL_COLUMNS,
        "misclassified/collect.csv": COLLECT_COLUMNS,
        "misclassified/notes.csv": NOTE_COLUMNS,
        "classes.csv": CLASS_COLUMNS,
    }
    for name, columns in declared.items():
        table = read_declared(run.path / name, columns)
        assert list(table) == list(columns), name


@pytest.mark.parametrize("damage", ["junk\n", "", 'class_a,class_b\n"cat","fox"\n'])
def test_damaged_tables_are_named(damage):
    make()
    add_parts()
    for name in ("confusion/pairs.csv", "misclassified/collect.csv"):
        Path("run", name).write_text(damage)
    report()
    assert section("absent", text_of()).count("is damaged") == 2


@pytest.mark.parametrize("column", ["status", "a_as_b", "n_b", "lift_ab", "q_value"])
def test_a_pair_without_its_figures_is_damaged(column):
    make()
    add_parts()
    path = Path("run/confusion/pairs.csv")
    pairs = pd.read_csv(path)
    assert pairs["status"][0] == "mutual"
    for value in (None, "strange" if column == "status" else None):
        pairs.loc[0, column] = value
        pairs.to_csv(path, index=False)
        report()
        assert "is damaged" in section("absent", text_of())

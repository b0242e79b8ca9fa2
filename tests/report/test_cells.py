import json

import pandas as pd

from tests.conftest import ends
from tests.report.pages import add_parts, data_of, make, report, section, text_of


def test_the_worst_images_of_the_first_cells_have_pictures(monkeypatch):
    run = make(each=30, images=False)
    monkeypatch.setattr("errlens.report.cells.PICTURED", 3)
    report()
    data = data_of(text_of())
    matrix = data["matrix"]
    assert [len(rows) for rows in matrix["images"]] == [6, 6, 6]
    table = run.read_predictions(("label", "pred")).table
    for at, rows in enumerate(matrix["images"]):
        true, pred, _ = matrix["cells"][3 * at : 3 * at + 3]
        assert {table["label"][row].as_py() for row in rows} == {true}
        assert {table["pred"][row].as_py() for row in rows} == {pred}
        assert all(str(row) in data["facts"] for row in rows)


def test_each_class_has_its_superclass():
    make(images=False)
    report()
    matrix = data_of(text_of())["matrix"]
    parents = [matrix["superclasses"][parent] for parent in matrix["parents"]]
    assert dict(zip(matrix["names"], parents, strict=True)) == {
        "cat": "feline",
        "lion": "feline",
        "dog": "canine",
        "wolf": "canine",
    }
    assert [parents[index] for index in matrix["order"]] == ["canine"] * 2 + ["feline"] * 2


def test_without_superclasses_no_class_has_one():
    make(images=False, superclasses=False)
    report()
    matrix = data_of(text_of())["matrix"]
    assert (matrix["superclasses"], matrix["parents"]) == ([], [-1] * 4)


def test_groups_are_those_of_the_table():
    make(each=60, images=False, superclasses=False)
    report()
    assert data_of(text_of())["matrix"]["groups"] == []
    ends("confusion run --no-figures -q")
    report()
    matrix = data_of(text_of())["matrix"]
    table = pd.read_csv("run/confusion/groups.csv")
    assert len(table) == 2
    for group, row in zip(matrix["groups"], table.itertuples(), strict=True):
        assert group["group"] == row.group
        assert [matrix["names"][index] for index in group["classes"]] == json.loads(row.classes)


def test_the_strongest_cells_are_listed_without_a_script(monkeypatch):
    make(images=False)
    add_parts()
    monkeypatch.setattr("errlens.report.cells.LISTED", 2)
    report()
    listed = section("matrix", text_of())
    first = pd.read_csv("run/confusion/cells.csv").head(2)
    for cell in first.itertuples():
        assert f"{cell.true_class} → {cell.pred_class}</button>" in listed
    assert listed.count("<tr>") == 3

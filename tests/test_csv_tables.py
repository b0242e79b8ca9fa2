import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.csv_tables import read_csv, write_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "'=1", "''"]
# A lone carriage return inside quotes is read as a line feed by pandas.
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "table.csv"


@given(cells=st.lists(names | st.sampled_from(FORMULAS).filter(lambda one: "\r" not in one)))
def test_text_comes_back_as_it_was(path, cells):
    table = pd.DataFrame({"name": pd.array(cells, "str"), "n": range(len(cells))})
    write_csv(path, table)
    assert read_csv(path, text=["name"])["name"].tolist() == cells


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("kind", ["str", object])
def test_no_cell_and_no_heading_is_calculated(path, formula, kind):
    write_csv(path, pd.DataFrame({"name": pd.array([formula, "cat"], kind), formula: [1, -2]}))
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["name", f"'{formula}"]
    assert rows == [[f"'{formula}", "1"], ["cat", "-2"]]


def test_missing_text_and_names_like_numbers_are_kept_apart(path):
    write_csv(
        path, pd.DataFrame({"name": pd.array(["NA", None, "007", "nan"], "str"), "n": range(4)})
    )
    found = read_csv(path, text=["name", "no such column"])["name"]
    assert found.isna().tolist() == [False, True, False, False]
    assert found.dropna().tolist() == ["NA", "007", "nan"]

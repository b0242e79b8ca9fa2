import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.escapes import is_printable
from errlens.run.csv_tables import read_csv, write_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "'=1", "''", "$'", "$'x'", "'$'"]
UNSEEN = [
    "\t=1",
    "\r=1",
    "\n=1",
    "a\x1bb",
    "\0",
    "\x9b",
    "\u202e'",
    "\\\x07\\x07",
    "\u2028",
    "\U000e0001",
]
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "table.csv"


@given(cells=st.lists(names | st.sampled_from(FORMULAS + UNSEEN)))
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


@pytest.mark.parametrize("text", UNSEEN)
def test_what_cannot_be_seen_is_in_no_file(path, text):
    write_csv(path, pd.DataFrame({"name": pd.array([text, "cat"], "str"), text: [1, -2]}))
    written = path.read_text(encoding="utf-8")
    assert written.count("\n") == 3
    assert is_printable(written.replace("\n", ""))
    assert written.split("\n")[1].strip('"').startswith("$'")


def test_missing_text_and_names_like_numbers_are_kept_apart(path):
    write_csv(
        path, pd.DataFrame({"name": pd.array(["NA", None, "007", "nan"], "str"), "n": range(4)})
    )
    found = read_csv(path, text=["name", "no such column"])["name"]
    assert found.isna().tolist() == [False, True, False, False]
    assert found.dropna().tolist() == ["NA", "007", "nan"]

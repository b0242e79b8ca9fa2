"""A message names a row as its file shows it, whatever stands before it."""

import csv
import io

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.data.file_rows import line_in_file
from errlens.data.manifests import Columns, read_manifest
from errlens.data.tables import read_table
from errlens.errors import BadManifest
from tests.conftest import refused

WANTED = ("path", "label")
FIRST = st.lists(st.sampled_from(["sep=;", ""]), unique=True)
CELL = st.sampled_from(["a", "two\nlines", "semi;colon", "ä"])


@given(FIRST, st.lists(st.one_of(st.just([]), st.tuples(CELL, CELL)), min_size=1))
def test_the_line_named_is_where_the_row_begins(tmp_path_factory, before, rows):
    text = io.StringIO("".join(f"{line}\n" for line in before) + "path;label\n")
    text.seek(0, io.SEEK_END)
    starts = []
    for row in rows:
        if row:
            starts.append(text.getvalue().count("\n") + 1)
        csv.writer(text, delimiter=";", lineterminator="\n").writerow(row)
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    if starts:
        assert len(read_table(path, wanted=WANTED)) == len(starts)
    places = [line_in_file(path, row, wanted=WANTED) for row in range(len(starts))]
    assert places == [f"line {start}" for start in starts]


def test_a_row_of_a_parquet_file_is_counted_from_one(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"path": ["a", None], "label": ["x", "y"]}).to_parquet(path)
    with pytest.raises(BadManifest, match=r"the first is row 2 \(counted from 1\)"):
        read_manifest(path, Columns())
    assert pa.parquet.read_table(path)["path"].to_pylist()[2 - 1] is None


def test_rows_of_another_split_and_blank_ones_are_counted_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = "path,label,split,p_x,p_y\na,x,train,1,0\n\n,,,,\nb,x,val,0.5,oops\n"
    (tmp_path / "table.csv").write_text(table)
    said = refused("import table.csv --split val -o run", exit_code=3)
    assert "but line 5 holds 'oops'" in said
    (tmp_path / "table.csv").write_text("path,label,split\na,x,train\n\n,x,val\nc,y,val\n")
    with pytest.raises(BadManifest, match="the first is line 4"):
        read_manifest(tmp_path / "table.csv", Columns(), split="val")

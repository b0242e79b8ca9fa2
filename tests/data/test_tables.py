import csv

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.data.tables import blank_rows, read_table, texts
from errlens.errors import BadPredictions, MissingInput

WANTED = ("path", "label")


def written(tmp_path, text: str | bytes, name: str = "table.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_delimiter_is_found(tmp_path, delimiter, line_end):
    lines = ["path,label,size", '"a,b.jpg",cat,1', 'c.jpg,"say ""meow""",']
    text = line_end.join(lines).replace(",", delimiter)
    found = read_table(written(tmp_path, text), wanted=WANTED)
    assert found.to_pylist() == [
        {"path": f"a{delimiter}b.jpg", "label": "cat", "size": "1"},
        {"path": "c.jpg", "label": 'say "meow"', "size": None},
    ]


def test_other_names_than_those_wanted_are_divided_too(tmp_path):
    found = read_table(written(tmp_path, "file;truth\na;b\n"), wanted=WANTED)
    assert found.column_names == ["file", "truth"]


def test_a_byte_order_mark_and_empty_lines_at_the_top_are_skipped(tmp_path):
    found = read_table(written(tmp_path, "\ufeff\n\npath,label\na,007\n"), wanted=WANTED)
    assert found.to_pylist() == [{"path": "a", "label": "007"}]


def test_all_of_a_text_file_is_text_and_only_the_empty_is_missing(tmp_path):
    found = read_table(written(tmp_path, 'path,label\nNA,1\nnull,""\n'), wanted=WANTED)
    assert found.to_pylist() == [{"path": "NA", "label": "1"}, {"path": "null", "label": None}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "cannot be read"),
        (b"path,label\n", "no rows"),
        (b"path,label\na,b,c\n", "Expected 2 columns, got 3"),
        (b"path,label\na\n", "Expected 2 columns, got 1"),
        (b"path,label,path\na,b,c\n", "several columns called 'path'"),
        ("path,label\na,é\n".encode("latin-1"), "cannot be read"),
        ("path,label\na,b\n".encode("utf-16"), "cannot be read"),
    ],
)
def test_a_text_file_that_is_no_table(tmp_path, text, reason):
    with pytest.raises(BadPredictions, match=reason):
        read_table(written(tmp_path, text), wanted=WANTED)


def test_another_encoding_far_down_is_found_as_well(tmp_path):
    text = b"path,label\n" + b"a,b\n" * 100_000 + b"a,\xe9\n"
    with pytest.raises(BadPredictions, match="cannot be read") as caught:
        read_table(written(tmp_path, text), wanted=WANTED)
    assert "save it as UTF-8" in caught.value.hint


def test_parquet_files_that_are_no_tables(tmp_path):
    with pytest.raises(BadPredictions, match="cannot be read"):
        read_table(written(tmp_path, "PAR1", "a.parquet"), wanted=WANTED)
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"path": ["a"] * 999}), whole)
    with pytest.raises(BadPredictions, match="cannot be read"):
        read_table(written(tmp_path, whole.read_bytes()[:-20], "b.parquet"), wanted=WANTED)
    twice = pa.table([pa.array([1]), pa.array([2])], names=["path", "path"])
    pq.write_table(twice, tmp_path / "c.parquet")
    with pytest.raises(BadPredictions, match="several columns called 'path'"):
        read_table(tmp_path / "c.parquet", wanted=WANTED)
    with pytest.raises(MissingInput):
        read_table(tmp_path / "d.parquet", wanted=WANTED)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 2),
        min_size=1,
        max_size=5,
    )
)
def test_text_comes_back_as_pandas_wrote_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("law") / "table.csv"
    table = pd.DataFrame(rows, columns=["path", "label"])
    # All in quotes: left to itself, pandas writes a lone carriage return without.
    table.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    found = read_table(path, wanted=WANTED)
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        tuple(value or None for value in row) for row in rows
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], ["1", None, "3"]),
        ([1.0, None, 3.0], ["1", None, "3"]),
        (["a", "", None], ["a", None, None]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
    ],
)
def test_values_as_text(values, expected):
    assert texts(pa.table({"label": values}), "label") == expected


@pytest.mark.parametrize(
    "text",
    [
        "path,label,,\na,x,,\nb,y,,\n",
        "path,label\na,x,\nb,y,\n",
        "path,label,\na,x,\nb,y,\n",
        ",path,label\n0,a,x\n1,b,y\n",
        "Unnamed: 0;path;label\n1;a;x\n2;b;y\n",
        "sep=;\npath;label\na;x\nb;y\n",
        "\ufeffsep=;\r\nPath;LABEL\r\na;x\r\nb;y\r\n",
    ],
)
def test_what_spreadsheets_and_pandas_leave_around_a_table_is_passed_over(tmp_path, text):
    found = read_table(written(tmp_path, text), wanted=WANTED)
    assert found.to_pylist() == [{"path": "a", "label": "x"}, {"path": "b", "label": "y"}]


def test_a_column_without_a_name_is_kept_where_it_says_something(tmp_path):
    found = read_table(written(tmp_path, ",label\na.jpg,x\nb.jpg,y\n"), wanted=WANTED)
    assert found.column_names == ["", "label"]


def test_a_value_beyond_the_header_is_no_blank(tmp_path):
    with pytest.raises(BadPredictions, match="Expected 2 columns, got 3"):
        read_table(written(tmp_path, "path,label\na,x,7\n"), wanted=WANTED)


def test_rows_of_nothing_but_blanks_are_found():
    table = pa.table({"a": ["x", None, "  ", None], "b": [1, None, None, 2]})
    assert blank_rows(table).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("a.csv", "path,label,p_x,p_y\na,x,0,9,0,1\n", "a decimal one too, into quotes"),
        ("a.csv", "path,label,p_x,p_y\na,x,0.9,0.1\nb,y,\n", "written to its end?"),
        ("a.xlsx", "PK", "CSV UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table_comes_with_a_way_out(tmp_path, name, text, hint):
    with pytest.raises(BadPredictions) as caught:
        read_table(written(tmp_path, text, name), wanted=WANTED)
    assert hint in caught.value.hint

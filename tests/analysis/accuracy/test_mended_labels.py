import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from errlens.analysis.accuracy.mended_labels import read_labels
from errlens.classes.names import ClassNames
from errlens.errors import BadLabelFile, MissingInput

NAMES = ClassNames(tuple("abcdef"))
PATHS = ["a/0.png", "a/1.png", "b/0.png"]
PLAN = pa.table({"sample_id": PATHS, "path": PATHS, "label_name": ["c", "A", "b"]})
LABEL = np.array([2, 0, 1])


def labels_from(tmp_path, text):
    (tmp_path / "rows.csv").write_text(text)
    return read_labels(tmp_path / "rows.csv", PLAN, NAMES, LABEL).labels


@pytest.mark.parametrize(
    "text",
    [
        "row,label\n1,b\n2,a\n",
        "sample_id,label\na/1.png,b\nb/0.png,a\n",
        "id,why,row,label\nx,blurred,1,B\ny,,2,a\n",
        "row,label\n0,\n1,b\n1,b\n2,a\n",
    ],
)
def test_labels_are_read_by_row_or_by_image(tmp_path, text):
    assert labels_from(tmp_path, text) == {1: 1, 2: 0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("row,label\n3,a\n", "row '3'"),
        ("sample_id,label\na/2.png,a\n", "a/2.png"),
        ("row,label\n1,x\n", "no class of the run: 'x'"),
        ("row,label\n1,a\n1,b\n", "row:1 of the run two labels"),
        ("row,name\n1,a\n", "no columns"),
        ("", "cannot be read"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, text, says):
    with pytest.raises(BadLabelFile, match=says):
        labels_from(tmp_path, text)


def test_a_missing_file_of_labels_is_bad_input(tmp_path):
    with pytest.raises(MissingInput):
        read_labels(tmp_path / "rows.csv", PLAN, NAMES, LABEL)


@pytest.mark.parametrize("text", ["row,label\n1.0, B \n2.0,a\n", " row , label\n01,b\n 2,a\n"])
def test_rows_and_labels_may_be_spelt_otherwise(tmp_path, text):
    assert labels_from(tmp_path, text) == {1: 1, 2: 0}


WORST = "rank,row,sample_id,path,label_name,pred_name,confidence\n"


@pytest.mark.parametrize(
    "text",
    [
        # As misclassified writes worst.csv, with a cell of label_name changed.
        WORST + "1,1,a/1.png,a/1.png,b,b,0.9\n2,0,a/0.png,a/0.png,c,d,0.8\n",
        # A column was added; what is empty in it stays.
        "row,label_name,pred_name,label\n1,A,b,b\n0,c,d,\n",
        # What suggests a label for each, beside the given one.
        "row,label_name,suggested\n1,a,b\n0,c,c\n",
        "row,label,suggested\n1,a,b\n0,c,\n",
        # As a spreadsheet saves it.
        (WORST + "1,1.0,a/1.png,a/1.png,b,b,0.9\n,,,,,,\n").replace(",", ";"),
        (WORST + "1,1,a/1.png,a/1.png,b,b,0.9\n").replace(",", "\t"),
        "\ufeffsep=;\r\nRow;Label\r\n1;b\r\n",
        "path,label\na/1.png,b\n",
        "path,label\n/data/val/a/1.png,b\n",
        "path,label\nC:\\val\\a\\1.png,b\n",
        "sample_id,label\na/1.png,1\n",
    ],
)
def test_a_table_that_a_command_wrote_will_do_with_labels_changed(tmp_path, text):
    assert labels_from(tmp_path, text) == {1: 1}


def test_ids_say_which_image_is_meant_where_rows_are_those_of_another_run(tmp_path):
    text = WORST + "1,2,a/1.png,a/1.png,b,b,0.9\n"
    assert labels_from(tmp_path, text) == {1: 1}


def test_parquet_will_do_and_numbers_are_outputs_where_no_class_is_called_so(tmp_path):
    table = {"row": [1, 0], "label": [1, None], "topk_index": [[1], [2]], "label_name": ["a", "c"]}
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    assert read_labels(tmp_path / "rows.parquet", PLAN, NAMES, LABEL).labels == {1: 1}


def test_an_apostrophe_before_a_formula_is_no_part_of_a_name(tmp_path):
    names = ClassNames(("=1", "-2", "'x'"))
    (tmp_path / "rows.csv").write_text("row,label\n0,'=1\n1,'-2\n2,''x'\n")
    label = np.array([1, 2, 0])
    assert read_labels(tmp_path / "rows.csv", PLAN, names, label).labels == {0: 0, 1: 1, 2: 2}


def test_labels_as_they_are_change_nothing_be_they_classes_or_not(tmp_path):
    plan = PLAN.set_column(2, "label_name", pa.array(["c", "zebra", "b"]))
    text = "row,label_name\n0,C\n1,zebra\n2,f\n"
    (tmp_path / "rows.csv").write_text(text)
    assert read_labels(tmp_path / "rows.csv", plan, NAMES, np.array([2, -1, 1])).labels == {2: 5}


def test_two_columns_that_change_a_label_in_two_ways_are_refused(tmp_path):
    with pytest.raises(BadLabelFile, match="row:1 of the run two labels: 'b' and 'd'"):
        labels_from(tmp_path, "row,label,suggested\n1,b,d\n")


def test_what_is_no_table_is_told_with_what_would_be(tmp_path):
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    with pytest.raises(BadLabelFile, match=r"none of \.csv, \.tsv"):
        read_labels(tmp_path / "rows.xlsx", PLAN, NAMES, LABEL)
    with pytest.raises(BadLabelFile) as caught:
        labels_from(tmp_path, "rank,pred_name\n1,a\n")
    assert "worst.csv with cells of label_name changed" in caught.value.hint


def test_a_table_of_other_images_is_refused_though_the_run_has_rows_of_these_numbers(tmp_path):
    with pytest.raises(BadLabelFile, match=r"'zoo/7\.png'") as caught:
        labels_from(tmp_path, "row,sample_id,label_name\n1,zoo/7.png,b\n")
    assert "without the column sample_id" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("row,label\n0,\n1,b\n2,\n", 2),
        ("row,label\n0,\n,\n1,b\n", 1),  # a line without anything is about no image
        ("row,label_name,label\n0,c,\n1,a,b\n2,f,\n", 1),  # that of row 2 was changed in its place
        ("row,label_name\n0,c\n1,\n", 1),
        ("row,label,suggested\n0,,a\n1,,\n", 1),
    ],
)
def test_lines_without_a_label_are_counted(tmp_path, text, n):
    (tmp_path / "rows.csv").write_text(text)
    assert read_labels(tmp_path / "rows.csv", PLAN, NAMES, LABEL).n_without_label == n

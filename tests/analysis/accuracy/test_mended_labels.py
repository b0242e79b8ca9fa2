import pyarrow as pa
import pytest

from errlens.analysis.accuracy.mended_labels import read_labels
from errlens.classes.names import ClassNames
from errlens.errors import BadLabelFile, MissingInput

NAMES = ClassNames(tuple("abcdef"))
PLAN = pa.table({"sample_id": ["a/0.png", "a/1.png", "b/0.png"]})


def labels_from(tmp_path, text):
    (tmp_path / "rows.csv").write_text(text)
    return read_labels(tmp_path / "rows.csv", PLAN, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "row,label\n1,b\n2,a\n",
        "sample_id,label\na/1.png,b\nb/0.png,a\n",
        "sample_id,why,row,label\nx,blurred,1,B\ny,,2,a\n",
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
        ("row,label\n1,a\n1,b\n", "row 1 two labels"),
        ("row,name\n1,a\n", "no columns"),
        ("", "no csv"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, text, says):
    with pytest.raises(BadLabelFile, match=says):
        labels_from(tmp_path, text)


def test_a_missing_file_of_labels_is_bad_input(tmp_path):
    with pytest.raises(MissingInput):
        read_labels(tmp_path / "rows.csv", PLAN, NAMES)


@pytest.mark.parametrize("text", ["row,label\n1.0, B \n2.0,a\n", " row , label\n01,b\n 2,a\n"])
def test_rows_and_labels_may_be_spelt_otherwise(tmp_path, text):
    assert labels_from(tmp_path, text) == {1: 1, 2: 0}

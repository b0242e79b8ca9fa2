import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import ClassNames
from errlens.data.numbering import Numbering
from errlens.errors import BadPredictions, UnknownLabels
from errlens.imported.naming import class_indices
from errlens.imported.table import PredictionColumns, read_predictions

PETS = ClassNames(("dog", "cat"))


def read(tmp_path, table: dict, name: str = "table.parquet", **options):
    frame = pd.DataFrame(table)
    path = tmp_path / name
    frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
    return read_predictions(path, PredictionColumns(), **options)


BOTH = pytest.mark.parametrize("name", ["table.csv", "table.parquet"])


@BOTH
def test_labels_beside_gaps_stay_whole_numbers(tmp_path, name):
    table = {"path": ["a", "b", "c"], "label": [1.0, None, 0.0], "pred": [1, 0, 0]}
    found = read(tmp_path, table, name, given=PETS)
    assert found.label.tolist() == [1, -1, 0]
    assert found.pred.tolist() == [1, 0, 0]
    assert found.manifest.frame["label"].tolist() == ["1", None, "0"]


@BOTH
def test_categories_are_text(tmp_path, name):
    table = {"id": [7, 8], "label": pd.Categorical(["x", "y"]), "pred": pd.Categorical(["y", "y"])}
    found = read(tmp_path, table, name)
    assert found.manifest.frame["path"].tolist() == ["7", "8"]
    assert found.classes.names == ("x", "y")


def test_classes_of_a_table_that_names_none_are_sorted(tmp_path):
    found = read(tmp_path, {"path": ["a", "b"], "label": ["b", "c"], "pred": ["a", "c"]})
    assert found.classes.names == ("a", "b", "c")


def test_numbered_classes_are_sorted_as_numbers(tmp_path):
    table = {"path": list("abc"), "label": [2, 10, 1], "pred": [2, 1, 1]}
    found = read(tmp_path, table)
    assert found.classes.names == ("1", "2", "10")
    assert found.label.tolist() == [1, 2, 0]
    found = read(tmp_path, table, numbering=Numbering("indices"))
    assert found.classes.names == tuple(map(str, range(11)))
    assert found.label.tolist() == [2, 10, 1]


def test_a_table_that_names_no_class_at_all_is_refused(tmp_path):
    with pytest.raises(BadPredictions, match="neither a label nor a predicted class"):
        read(tmp_path, {"path": ["a"], "label": [None], "pred": [None]})


def test_probabilities_without_a_label_are_enough(tmp_path):
    found = read(tmp_path, {"path": ["a"], "label": [None], "p_x": [1.0], "p_y": [0.0]})
    assert found.label.tolist() == [-1]
    assert found.prob.tolist() == [[1, 0]]


@BOTH
def test_what_is_not_used_is_kept_by_row(tmp_path, name):
    table = {
        "path": ["a", "b"],
        "label": ["x", "y"],
        "row": [7, 8],
        "pred": ["x", "y"],
        "x": [0.9, 0.2],
        "y": [0.1, 0.8],
        "confidence": [0.9, 0.8],
        "camera": ["left", "right"],
    }
    extra = read(tmp_path, table, name).manifest.extra
    assert list(extra) == ["row", "confidence", "camera"]
    assert extra["row"].tolist() == [0, 1]
    del table["confidence"], table["camera"]
    assert read(tmp_path, table, name).manifest.extra is None


def test_labels_that_are_no_class_are_marked(tmp_path):
    table = {"path": list("abc"), "label": ["dog", "cow", None], "pred": ["dog", "cat", "cat"]}
    with pytest.raises(UnknownLabels):
        read(tmp_path, table, given=PETS)
    found = read(tmp_path, table, given=PETS, allow_unknown=True)
    assert found.label.tolist() == [0, -1, -1]
    assert found.unknown.tolist() == [False, True, False]


def test_text_may_be_rounded_more_than_parquet(tmp_path):
    table = {"path": ["a"], "label": ["x"], "p_x": [0.333], "p_y": [0.333], "p_z": [0.333]}
    table["p_x"] = [0.329]
    assert read(tmp_path, table, "table.csv").prob.sum() == pytest.approx(0.995)
    with pytest.raises(BadPredictions, match=r"sum to 0\.995"):
        read(tmp_path, table)


names = st.lists(st.text("abc012", min_size=1, max_size=2), unique=True, min_size=1)


@settings(deadline=None)
@given(names, st.data())
def test_names_that_all_match_are_names_and_none_is_none(names, data):
    classes = ClassNames(tuple(names))
    values = data.draw(st.lists(st.none() | st.sampled_from(names)))
    indices, unknown = class_indices(values, classes)
    assert unknown == []
    assert [None if i < 0 else names[i] for i in indices] == values


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1), unique=True, min_size=1), st.data())
def test_numbers_that_are_no_names_are_indices(names, data):
    classes = ClassNames(tuple(names))
    values = data.draw(st.lists(st.integers(0, len(names) + 2), min_size=1))
    indices, unknown = class_indices([str(value) for value in values], classes)
    assert unknown == sorted({str(value) for value in values if value >= len(names)})
    np.testing.assert_array_equal(
        indices, [value if value < len(names) else -1 for value in values]
    )


@pytest.mark.parametrize(
    ("values", "kind", "indices", "unknown"),
    [
        (["0", "1"], None, [1, 0], []),
        (["0", "1"], "names", [1, 0], []),
        (["0", "1"], "indices", [0, 1], []),
        (["0", "1", "2"], None, [0, 1, -1], ["2"]),
        (["0", "x"], None, [1, -1], ["x"]),
        (["-1", "0"], None, [-1, 1], ["-1"]),
    ],
)
def test_a_tie_goes_to_the_names_unless_told_otherwise(values, kind, indices, unknown):
    found = class_indices(values, ClassNames(("1", "0")), kind=kind)
    assert (found[0].tolist(), found[1]) == (indices, unknown)

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import ClassNames
from errlens.data.numbering import Numbering
from errlens.errors import BadPredictions, UnknownLabels
from errlens.imported.columns import PredictionColumns
from errlens.imported.naming import class_indices
from errlens.imported.table import Wishes, read_predictions

PETS = ClassNames(("dog", "cat"))


def read(tmp_path, table: dict, name: str = "table.parquet", **options):
    frame = pd.DataFrame(table)
    path = tmp_path / name
    frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
    wishes = {name: options.pop(name) for name in Wishes._fields if name in options}
    return read_predictions(path, PredictionColumns(), wishes=Wishes(**wishes), **options)


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


GOOD = {"path": list("abcd"), "label": ["x", "y", "x", "y"], "p_x": ["0.9", "0.2", "0.6", "0.5"]}
GOOD["p_y"] = ["0.1", "0.8", "0.4", "0.5"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"p_x": ["0.9", "oops", "0.6", "0.5"]}, "column 'p_x' holds 'oops'"),
        ({"p_x": ["0.9", "0.4", "0.6", "0.5"]}, "its probabilities sum to 1.2"),
        ({"p_x": ["0.9", "-0.2", "0.6", "0.5"]}, "holds -0.2, no probability"),
        ({"pred": ["x", "x", "x", "y"]}, "the predicted class is not the most probable one"),
    ],
)
def test_a_few_rows_that_cannot_be_used_are_kept_as_failed(tmp_path, bad, reason):
    with pytest.raises(BadPredictions) as caught:
        read(tmp_path, GOOD | bad, "table.csv")
    assert "--max-bad 1 keeps such rows, as failed ones" in caught.value.hint
    found = read(tmp_path, GOOD | bad, "table.csv", allowed_bad=lambda n: n // 4)
    assert found.problems == [None, reason, None, None]
    assert np.isnan(found.prob[1]).all()
    assert found.prob[[0, 2, 3], 1].tolist() == [0.1, 0.4, 0.5]


def test_a_confidence_that_is_none_is_such_a_row(tmp_path):
    table = {"path": ["a", "b"], "label": ["x", "y"], "pred": ["x", "x"], "confidence": [0.9, 7]}
    found = read(tmp_path, table, allowed_bad=lambda _: 1)
    assert found.problems == [None, "column 'confidence' holds 7, no probability"]


def test_where_most_rows_are_bad_the_table_is_and_no_option_is_offered(tmp_path):
    with pytest.raises(BadPredictions) as caught:
        read(tmp_path, GOOD | {"p_x": ["3.4", "-2", "5", "-1"], "p_y": ["-3", "1", "0", "9"]})
    assert "raw outputs" in str(caught.value)
    assert caught.value.hint == "--logits takes their softmax"


def test_percentages_are_read_where_every_row_sums_to_a_hundred(tmp_path):
    table = {"path": ["a", "b"], "label": ["x", "y"], "p_x": [90, 20.5], "p_y": [10, 79.5]}
    found = read(tmp_path, table)
    np.testing.assert_allclose(found.prob, [[0.9, 0.1], [0.205, 0.795]])
    assert found.remarks == ["the probabilities of a row sum to 100: divided by 100"]


def test_blank_rows_are_passed_over(tmp_path):
    (tmp_path / "t.csv").write_text("path,label,pred\na,x,x\n,,\n , ,\nb,y,x\n\n")
    found = read_predictions(tmp_path / "t.csv", PredictionColumns())
    assert found.manifest.frame["path"].tolist() == ["a", "b"]
    assert found.remarks == ["2 blank rows passed over"]


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (
            ["filename", "true_label", "Predicted Label"],
            "--path-column filename --label-column true_label --pred-column 'Predicted Label'?",
        ),
        (["image", "y_true", "y_pred"], "--path-column image --label-column y_true --pred-column"),
        (["", "label", "pred"], "did you mean --path-column ''?"),
        (["path", "label", "prediction"], "did you mean --pred-column prediction?"),
        (["path", "label", "score"], "of two classes one will do"),
        (["id", "target", "pred"], "did you mean --label-column target?"),
    ],
)
def test_columns_called_otherwise_are_named_with_their_options(tmp_path, columns, hint):
    table = dict(zip(columns, (["a", "b"], ["x", "y"], ["x", "x"]), strict=True))
    with pytest.raises(BadPredictions) as caught:
        read(tmp_path, table, "table.csv")
    assert hint in caught.value.hint


def test_what_rounding_puts_a_hair_beyond_is_a_probability(tmp_path):
    table = {"path": ["a"], "label": ["x"], "p_x": [1.0000001], "p_y": [-1e-17]}
    found = read(tmp_path, table)
    assert found.prob.tolist() == [[1, 0]]
    sure = {"path": ["a"], "label": ["x"], "pred": ["x"], "confidence": [1.0000001]}
    assert read(tmp_path, sure).confidence.tolist() == [1]


def test_columns_of_probability_with_a_prefix_of_their_own_are_told_with_the_option(tmp_path):
    table = {"path": ["a", "b"], "label": ["cat", "dog"], "score cat": [1, 0], "score dog": [0, 1]}
    with pytest.raises(BadPredictions) as caught:
        read(tmp_path, table)
    assert caught.value.hint == "did you mean --prob-prefix 'score '?"
    assert read(tmp_path, table, prob_prefix="score ").prob.tolist() == [[1, 0], [0, 1]]

"""One column of probability as two classes."""

import numpy as np
import pytest

from errlens.classes.names import ClassNames
from errlens.errors import BadPredictions, UnfitOption
from errlens.imported.two_classes import likely_score
from tests.imported.test_table import BOTH, read


def table(prob, label=("cat", "dog", "dog"), column="prob_cat"):
    return {"path": ["a", "b", "c"], "label": [*label], column: prob}


@BOTH
def test_the_other_class_is_the_one_that_labels_name(tmp_path, name):
    found = read(tmp_path, table([0.9, 0.25, 0.5]), name)
    assert found.classes.names == ("cat", "dog")
    np.testing.assert_allclose(found.prob, [[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]])
    assert found.label.tolist() == [0, 1, 1]
    assert found.remarks == ["'prob_cat' is taken as the probability of 'cat', of two classes"]


def test_or_the_one_that_predictions_name(tmp_path):
    rows = table([0.9, 0.25, 0.4], label=["cat", "Cat", None]) | {"pred": ["cat", "dog", "dog"]}
    found = read(tmp_path, rows)
    assert found.classes.names == ("cat", "dog")
    assert found.label.tolist() == [0, 0, -1]


def test_numbers_are_in_their_order_whichever_has_the_column(tmp_path):
    for column, expected in (("prob_1", [[0.1, 0.9], [0.75, 0.25], [0.5, 0.5]]),
                             ("prob_0", [[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]])):  # fmt: skip
        found = read(tmp_path, table([0.9, 0.25, 0.5], label=[0, 1, 1], column=column))
        assert found.classes.names == ("0", "1")
        np.testing.assert_allclose(found.prob, expected)
        assert found.label.tolist() == [0, 1, 1]


def test_a_list_of_classes_says_what_numbers_mean(tmp_path):
    given = ClassNames(("dog", "cat"))
    found = read(tmp_path, table([0.9, 0.25, 0.5], label=[1, 0, 0]), given=given)
    np.testing.assert_allclose(found.prob, [[0.1, 0.9], [0.75, 0.25], [0.5, 0.5]])
    assert found.label.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("label", "says", "hint"),
    [
        (["cat"] * 3, "names another class than 'cat'", "--classes FILE"),
        (["cat", "dog", "emu"], "2 other classes: 'dog', 'emu'", "every class needs its column"),
        (["0", "1", "1"], "2 other classes: '0', '1'", "which the numbers count"),
    ],
)
def test_where_the_other_class_is_not_known_that_is_said(tmp_path, label, says, hint):
    with pytest.raises(BadPredictions, match="'prob_cat' is the only column") as caught:
        read(tmp_path, table([0.9, 0.25, 0.5], label=label))
    assert says in str(caught.value)
    assert hint in caught.value.hint


def test_what_is_no_probability_is_named(tmp_path):
    with pytest.raises(BadPredictions, match=r"'prob_cat' .* row 2 .* holds 25") as caught:
        read(tmp_path, table([0.9, 25, 0.5]))
    assert "divide percentages by 100" in caught.value.hint


def test_of_a_raw_output_the_sigmoid_is_taken(tmp_path):
    found = read(tmp_path, table([2.0, -3.0, 0.0], column="logit_cat"))
    np.testing.assert_allclose(found.prob[:, 0], 1 / (1 + np.exp([-2.0, 3.0, 0.0])))
    assert read(tmp_path, table([2.0, -3.0, 0.0]), logits=True).prob.tolist() == found.prob.tolist()


def test_a_column_of_any_name_is_the_probability_of_the_class_that_is_said(tmp_path):
    rows = table([0.9, 0.25, 0.5], column="score")
    for class_name in ("cat", "Dog"):
        found = read(tmp_path, rows, prob_columns={class_name: "score"})
        at = found.classes.index(class_name)
        np.testing.assert_allclose(found.prob[:, at], [0.9, 0.25, 0.5])
        np.testing.assert_allclose(found.prob[:, 1 - at], [0.1, 0.75, 0.5])
    two = rows | {"other": [0.1, 0.75, 0.5]}
    given = ClassNames(("dog", "cat"))
    found = read(tmp_path, two, given=given, prob_columns={"cat": "score", "dog": "other"})
    np.testing.assert_allclose(found.prob[:, 0], [0.1, 0.75, 0.5])


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"prob_columns": {"cat": "label"}}, "holds something else"),
        ({"prob_columns": {"cat": "gone"}}, "has no column 'gone'"),
        ({"prob_columns": {"emu": "score"}}, "no class is called 'emu'"),
        ({"prob_columns": {"cat": "score"}, "prob_prefix": "p_"}, "both name columns"),
    ],
)
def test_a_column_that_cannot_be_the_probability_of_a_class_is_refused(tmp_path, wishes, says):
    with pytest.raises(UnfitOption, match=says):
        read(tmp_path, table([0.9, 0.25, 0.5], column="score"), **wishes)


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["0.1", "1.2"], ["cat", "dog"]),
        (["0", "1"], ["cat", "dog"]),
        (["a", "0.3"], ["cat", "dog"]),
        ([None, "0.3"], ["cat", "dog"]),
        (["0.1", "0.3"], ["cat", "cat"]),
        (["0.1", "0.3", "0.4"], ["cat", "dog", "emu"]),
    ],
)
def test_other_numbers_are_taken_for_no_score(texts, labels):
    assert likely_score({"x": texts}, labels) is None

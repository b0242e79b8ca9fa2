import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import ClassNames
from errlens.errors import BadPredictions, UnfitOption
from errlens.imported.probabilities import probability_columns, refuse_disagreement, refuse_improper

RESERVED = {"path", "label", "pred"}
PETS = ClassNames(("dog", "cat"))


def columns_of(text: str, said: str = "cat dog", **options) -> dict[str, str]:
    return probability_columns(
        ["path", "label", *text.split()], reserved=RESERVED, named=set(said.split()), **options
    )


@pytest.mark.parametrize("prefix", ["", "p_", "prob_"])
def test_columns_called_like_the_classes_are_found_in_their_order(prefix):
    expected = {"dog": f"{prefix}dog", "cat": f"{prefix}cat"}
    assert list(columns_of(f"size {prefix}dog {prefix}cat").items()) == list(expected.items())


def test_a_class_file_decides_the_order():
    assert list(columns_of("cat dog", given=PETS)) == ["dog", "cat"]


def test_classes_without_images_are_found_by_their_prefix():
    assert list(columns_of("p_ant p_cat p_dog")) == ["ant", "cat", "dog"]


def test_numbered_labels_go_with_named_columns():
    assert list(columns_of("prob_cat prob_dog", "0 1")) == ["cat", "dog"]
    assert columns_of("p_value p_adjusted", "0 1") == {}
    assert list(columns_of("p_cat p_dog", "0 1", needed=True)) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["camera size", "p_value", "cat size", "prob_max"])
def test_a_coincidence_is_no_set_of_columns(text):
    assert columns_of(text) == {}


def test_a_prefix_of_ones_own():
    assert columns_of("s.cat s.dog cat", prefix="s.") == {"cat": "s.cat", "dog": "s.dog"}
    with pytest.raises(UnfitOption, match="--prob-prefix 'q_'"):
        columns_of("p_cat p_dog", prefix="q_")


def test_of_two_sets_one_must_be_chosen():
    with pytest.raises(BadPredictions, match="two sets") as caught:
        columns_of("cat dog prob_cat prob_dog")
    assert "'prob_' or ''" in caught.value.hint
    assert columns_of("cat dog prob_cat prob_dog", prefix="") == {"cat": "cat", "dog": "dog"}


def test_every_class_that_was_given_needs_its_column():
    for text in ("p_dog", "prob_dog size"):
        with pytest.raises(BadPredictions, match="no column of probability for 'cat'"):
            columns_of(text, given=PETS)


def test_a_column_cannot_be_two_things():
    with pytest.raises(BadPredictions, match="'path'"):
        columns_of("cat dog", "cat dog path")
    with pytest.raises(BadPredictions, match="'label'"):
        columns_of("cat dog", given=ClassNames(("cat", "dog", "label")))


# Values

rows_of_probabilities = st.integers(1, 6).flatmap(
    lambda k: st.lists(
        st.lists(st.floats(0.001, 1), min_size=k, max_size=k), min_size=1, max_size=5
    )
)


def normal(rows) -> np.ndarray:
    found = np.array(rows, float)
    return found / found.sum(axis=1, keepdims=True)


def names_of(prob) -> list[str]:
    return [f"{row}.jpg" for row in range(len(prob))]


@settings(deadline=None)
@given(rows_of_probabilities, st.sampled_from([np.float16, np.float32, np.float64]))
def test_what_sums_to_one_is_let_through_in_any_precision(rows, kind):
    prob = normal(rows).astype(kind).astype(float)
    refuse_improper(prob, names_of(prob), tolerance=1e-3)


@settings(deadline=None)
@given(rows_of_probabilities, st.integers(0, 4), st.sampled_from([0.5, 0.98, 1.02, 3]))
def test_the_first_row_that_does_not_sum_to_one_is_named(rows, at, factor):
    prob = normal(rows)
    at = min(at, len(prob) - 1)
    prob[at:] *= factor
    with pytest.raises(BadPredictions, match=rf"row {at} \('{at}.jpg'\) sum to {factor:.6g}"):
        refuse_improper(prob, names_of(prob), tolerance=1e-2)


def test_rows_that_are_not_finite_are_left_to_others():
    prob = np.array([[np.nan, 5], [np.inf, 1], [-np.inf, 1], [0.5, 0.5]])
    refuse_improper(prob, names_of(prob), tolerance=1e-3)
    refuse_improper(prob[:3], names_of(prob), tolerance=1e-3)


@pytest.mark.parametrize(
    ("prob", "what", "hint"),
    [
        ([[-3.2, 11.5], [0.5, 0.5]], r"logits\), from -3.2 to 11.5", "softmax"),
        ([[-0.2, 1.2]], "logits", "softmax"),
        ([[30, 70], [100, 0]], "percentages", "divide"),
        (np.log([[0.3, 0.7], [0.5, 0.5]]), "log-probabilities", "exponential"),
        ([[0.9, 0.8], [0.1, 0.2]], "sum to 1.7, not to one$", "every class needs its column"),
    ],
)
def test_other_numbers_are_called_what_they_look_like(prob, what, hint):
    with pytest.raises(BadPredictions, match=what) as caught:
        refuse_improper(np.array(prob, float), names_of(prob), tolerance=1e-3)
    assert hint in caught.value.hint


def test_a_predicted_class_must_be_a_most_probable_one():
    prob = np.array([[0.2, 0.8], [0.5, 0.5], [0.5, 0.5], [np.nan, 1], [0.9, 0.1]])
    good = np.array([1, 0, 1, 0, -1], np.int32)
    refuse_disagreement(prob, good, names_of(prob), classes=PETS)
    bad = np.array([0, 0, 1, 0, 1], np.int32)
    with pytest.raises(BadPredictions, match="2 of 4 predicted classes") as caught:
        refuse_disagreement(prob, bad, names_of(prob), classes=PETS)
    assert "0.jpg (predicted 'dog', most probable 'cat')" in str(caught.value)
    assert "4.jpg (predicted 'cat', most probable 'dog')" in str(caught.value)

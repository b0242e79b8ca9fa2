"""Whether numbers are probabilities, and what they are else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from errlens.classes.names import ClassNames
from errlens.imported.probability_values import (
    are_percentages,
    disagreeing_rows,
    disagreement,
    improper_rows,
    no_probabilities,
    of_logits,
)

PETS = ClassNames(("dog", "cat"))

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
    assert improper_rows(prob, tolerance=1e-3).tolist() == []


@settings(deadline=None)
@given(rows_of_probabilities, st.integers(0, 4), st.sampled_from([0.5, 0.98, 1.02, 3]))
def test_rows_that_do_not_sum_to_one_are_found(rows, at, factor):
    prob = normal(rows)
    at = min(at, len(prob) - 1)
    prob[at:] *= factor
    assert improper_rows(prob, tolerance=1e-2).tolist() == [*range(at, len(prob))]
    error = no_probabilities(prob, at, f"{at}.jpg", tolerance=1e-2)
    assert f"of {at}.jpg sum to {factor:.6g}" in str(error)


def test_rows_that_are_not_finite_are_left_to_others():
    prob = np.array([[np.nan, 5], [np.inf, 1], [-np.inf, 1], [0.5, 0.5]])
    assert improper_rows(prob, tolerance=1e-3).tolist() == []


@pytest.mark.parametrize(
    ("prob", "what", "hint"),
    [
        ([[-3.2, 11.5], [0.5, 0.5]], "(logits), from -3.2 to 11.5", "--logits"),
        ([[-0.2, 1.2]], "logits", "--logits"),
        (np.log([[0.3, 0.7], [0.5, 0.5]]), "log-probabilities", "--logits"),
        ([[0.9, 0.8], [0.1, 0.2]], "sum to 1.7, not to one", "every class needs its column"),
    ],
)
def test_other_numbers_are_called_what_they_look_like(prob, what, hint):
    error = no_probabilities(np.array(prob, float), 0, "a.jpg", tolerance=1e-3)
    assert what in str(error)
    assert hint in error.hint


def test_a_predicted_class_must_be_a_most_probable_one():
    prob = np.array([[0.2, 0.8], [0.5, 0.5], [0.5, 0.5], [np.nan, 1], [0.9, 0.1]])
    good = np.array([1, 0, 1, 0, -1], np.int32)
    assert disagreeing_rows(prob, good).tolist() == []
    bad = np.array([0, 0, 1, 0, 1], np.int32)
    wrong = disagreeing_rows(prob, bad)
    said = str(disagreement(prob, bad, wrong, names_of(prob), classes=PETS))
    assert "2 of 4 predicted classes" in said
    assert "0.jpg (predicted 'dog', most probable 'cat')" in said
    assert "4.jpg (predicted 'cat', most probable 'dog')" in said


def test_raw_outputs_and_log_probabilities_give_the_probabilities_of_scipy():
    raw = np.random.default_rng(0).normal(scale=30, size=(20, 4))
    for outputs in (raw, log_softmax(raw, axis=1), raw - 7):
        np.testing.assert_allclose(of_logits(outputs), softmax(raw, axis=1), atol=1e-12)


def test_an_output_of_minus_infinity_has_no_chance_and_others_are_not_known():
    prob = of_logits(np.array([[-np.inf, 0, 0], [np.inf, 0, 0], [np.nan, 0, 0]]))
    assert prob[0].tolist() == [0, 0.5, 0.5]
    assert np.isnan(prob[1:]).all()


def test_parts_of_a_hundred_are_told_from_other_numbers():
    assert are_percentages(np.array([[30, 70], [np.nan, 1], [99.95, 0]]), tolerance=1e-3)
    for other in ([[30, 70], [1, 0]], [[-30, 130]], [[0.3, 0.7]], [[np.nan, 100]]):
        assert not are_percentages(np.array(other, float), tolerance=1e-3)


def test_a_few_broken_rows_hide_no_percentages():
    prob = np.array([[30, 70]] * 19 + [[30, 90]], float)
    assert are_percentages(prob, tolerance=1e-3)
    assert not are_percentages(prob[-5:], tolerance=1e-3)

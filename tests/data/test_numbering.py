import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import ClassNames
from errlens.data.numbering import (
    Numbering,
    as_numbers,
    find_shift,
    numbered_classes,
    refuse_counting_from_one,
)
from errlens.errors import AmbiguousLabels, BadPredictions, UnfitOption


def ordinary(n: int, k: int, accuracy: float, seed: int = 0):
    random = np.random.default_rng(seed)
    label = random.integers(0, k, n)
    wrong = (label + random.integers(1, k, n)) % k
    return label, np.where(random.random(n) < accuracy, label, wrong)


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("left_out", [(), (9,), (0,), (0, 9)])
def test_labels_plus_one_are_found_whatever_class_is_missing(by, left_out):
    label, pred = ordinary(600, 10, 0.8)
    kept = ~np.isin(label, left_out)
    shift = find_shift(label[kept] + (by == 1), pred[kept] + (by == -1))
    assert (shift.by, shift.matched) == (by, (label == pred)[kept].sum())


@pytest.mark.parametrize("accuracy", [0.0, 0.1, 0.3, 0.9, 1.0])
def test_a_bad_model_is_not_accused(accuracy):
    for seed in range(50):
        assert find_shift(*ordinary(300, 10, accuracy, seed)) is None


def test_one_class_taken_for_its_neighbour_is_a_confusion():
    label, pred = np.ones(1000, int), np.zeros(1000, int)
    assert find_shift(label, pred) is None
    assert find_shift(np.repeat([1, 2], 500), np.repeat([0, 1], 500)).by == 1
    assert find_shift(np.zeros(0, int), np.zeros(0, int)) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_a_shift_always_explains_more_than_equality(rows):
    label, pred = np.array(rows).T
    shift = find_shift(label, pred)
    if shift:
        assert shift.matched == (label - pred == shift.by).sum() > (label == pred).sum()


def test_numbered_classes_reach_as_far_as_any_number():
    assert numbered_classes(["0", None], ["3"], Numbering()).names == ("0", "1", "2", "3")
    assert numbered_classes(["1", "4"], ["0"], Numbering(labels_from=1)).names == (
        "1", "2", "3", "4",
    )  # fmt: skip
    with pytest.raises(BadPredictions, match="would make 10000000000 classes"):
        numbered_classes(["0"], ["9999999999"], Numbering())
    with pytest.raises(UnfitOption, match="'cat'"):
        numbered_classes(["cat"], ["0"], Numbering())


def test_numbers_of_classes_are_their_names_or_their_places():
    assert as_numbers(np.array([1, 0]), ClassNames(("5", "07"))).tolist() == [7, 5]
    assert as_numbers(np.array([1, 0]), ClassNames(("5", "cat"))).tolist() == [1, 0]


def test_labels_up_to_the_number_of_outputs_count_from_one():
    classes = ClassNames(("a", "b", "c"))
    with pytest.raises(AmbiguousLabels, match="count from 1"):
        refuse_counting_from_one(["1", "3"], ["3"], classes, hint="")
    refuse_counting_from_one(["0", "3"], ["3"], classes, hint="")
    refuse_counting_from_one(["1", "4"], ["4"], classes, hint="")

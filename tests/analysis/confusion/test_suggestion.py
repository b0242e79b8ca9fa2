import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from errlens.analysis.confusion.label_space import exchanged_classes
from errlens.analysis.confusion.suggestion import suggest_names, sure_names
from errlens.classes.names import ClassNames


def suggestion(label, pred, k):
    names = ClassNames(tuple(f"class {number}" for number in range(k)))
    return suggest_names(label, pred, names, exchanged_classes(label, pred, n_classes=k))


def test_what_is_sure_is_not_marked():
    label, pred = np.repeat([0, 1, 2], 20), np.repeat([1, 0, 2], 20)
    found = suggestion(label, pred, 3)
    assert found.is_sure.all()
    assert found.lines == ["class 1", "class 0", "class 2"]


def test_names_given_stay_where_most_do_and_count_as_sure_only_with_images():
    label, pred = (
        np.repeat(np.arange(6), [20, 20, 20, 20, 4, 0]),
        np.repeat([1, 0, 2, 3, 4, 5], [20, 20, 20, 20, 4, 0]),
    )
    found = suggestion(label, pred, 6)
    assert found.is_sure.tolist() == [True, True, True, True, False, False]
    assert not found.is_open.any()
    assert found.lines == ["class 1", "class 0", "class 2", "class 3", "class 4", "class 5"]


def test_where_most_names_change_those_without_evidence_are_marked():
    label = np.repeat(np.arange(5), [20, 20, 20, 20, 4])
    pred = np.repeat([1, 2, 3, 0, 4], [20, 20, 20, 20, 4])
    found = suggestion(label, pred, 5)
    assert found.lines == ["class 3", "class 0", "class 1", "class 2", "? class 4"]


cells = st.integers(0, 5)
rows_of_six = st.lists(st.tuples(cells, cells), min_size=1, max_size=60)


def is_sure(counts, label_of, output):
    """Whether no exchange of this output's name with another one's does nearly as well."""
    name = label_of[output]
    sure = counts[name].sum() >= 5 and counts[name, output] > 0
    for other, other_name in enumerate(label_of):
        agree = counts[name, output] + counts[other_name, other]
        exchanged = counts[name, other] + counts[other_name, output]
        if sure and other != output:
            test = binomtest(agree, agree + exchanged, alternative="greater")
            sure = test.pvalue < 0.05
    return sure


@settings(deadline=None, max_examples=200)
@given(st.permutations(range(6)), rows_of_six, st.integers(1, 5))
def test_a_name_is_sure_where_no_exchange_does_as_well(label_of, rows, times):
    label, pred = np.repeat(np.array(rows), times, axis=0).T
    counts = np.zeros((6, 6), int)
    np.add.at(counts, (label, pred), 1)
    found = sure_names(label, pred, np.array(label_of))
    assert found.tolist() == [is_sure(counts, label_of, output) for output in range(6)]


@pytest.mark.parametrize("images", [5, 10, 30])
@pytest.mark.parametrize("accuracy", [0.5, 0.6, 0.8])
def test_what_is_called_sure_is_right(images, accuracy):
    """Half of the errors go to one other class; all names are in another order."""
    random = np.random.default_rng(images)
    k, sure, wrong = 20, 0, 0
    for _ in range(30):
        label = np.repeat(np.arange(k), images)
        is_wrong = random.random(len(label)) > accuracy
        beside = random.random(len(label)) < 0.5
        other = np.where(beside, label ^ 1, (label + random.integers(1, k, len(label))) % k)
        pred = np.where(is_wrong, other, label)
        shown = random.permutation(k)
        found = suggestion(shown[label], pred, k)
        right = np.array(found.names) == [f"class {index}" for index in shown]
        if not (np.array(found.names) == [f"class {index}" for index in range(k)]).all():
            sure += int(found.is_sure.sum())
            wrong += int((found.is_sure & ~right).sum())
    assert wrong <= 0.005 * sure
    assert sure > (0 if images == 5 else 100) or accuracy == 0.5


def test_fifty_thousand_names_need_no_square_table():
    label = np.repeat(np.arange(50_000), 5)
    pred = label.copy()
    pred[label == 7], pred[label == 9] = 9, 7
    label_of = np.arange(50_000)
    label_of[[7, 9]] = [9, 7]
    assert sure_names(label, pred, label_of).all()

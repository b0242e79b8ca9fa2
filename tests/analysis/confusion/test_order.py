"""Orders of the classes and the numbers drawn, each held to its law."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as of_scikit_learn

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.order import (
    Order,
    cell_values,
    class_order,
    matrix_table,
    superclass_stretches,
)
from errlens.classes.names import ClassNames, Superclasses


def matrix_of(label, pred, k, parents=None):
    """Return the matrix of some arrays; `parents` holds letters or None, one a class."""
    classes = ClassNames(tuple(f"class {index}" for index in range(k)))
    names = sorted({one for one in parents or () if one})
    superclasses = names and Superclasses(
        tuple(names), tuple(None if one is None else names.index(one) for one in parents)
    )
    return confusion_matrix_of_arrays(label, pred, classes, superclasses or None)


def random_matrix(k=8, n=200, seed=0, parents=None):
    random = np.random.default_rng(seed)
    label, pred = random.integers(0, k, n), random.integers(0, k, n)
    return matrix_of(label, pred, k, parents), label, pred


@st.composite
def matrices(draw):
    """Draw matrices of few to many classes, with and without superclasses, some of them empty."""
    k = draw(st.integers(1, 12))
    cells = draw(st.lists(st.tuples(*[st.integers(0, k - 1)] * 2), max_size=60))
    label, pred = (np.array([cell[at] for cell in cells], int) for at in (0, 1))
    parents = draw(st.none() | st.lists(st.sampled_from([*"abc", None]), min_size=k, max_size=k))
    return matrix_of(label, pred, k, parents)


@settings(max_examples=50)
@given(matrices(), st.sampled_from(get_args(Order)))
def test_every_order_has_each_class_once(matrix, by):
    assert sorted(class_order(matrix, by).tolist()) == list(range(len(matrix.classes)))


@settings(max_examples=50)
@given(matrices())
def test_given_is_the_order_of_the_outputs(matrix):
    assert class_order(matrix, "given").tolist() == list(range(len(matrix.classes)))


@settings(max_examples=50)
@given(matrices())
def test_frequency_puts_most_images_first_and_ties_in_the_order_given(matrix):
    found = class_order(matrix, "frequency").tolist()
    assert found == sorted(found, key=lambda one: (-matrix.n[one], one))


@settings(max_examples=50)
@given(matrices())
def test_superclasses_stand_by_name_strangers_last_and_inside_in_cluster_order(matrix):
    found = class_order(matrix, "superclass").tolist()
    of_class = matrix.superclasses.of_class if matrix.superclasses else [None] * len(found)
    last = len(found)
    assert found == sorted(
        class_order(matrix, "cluster").tolist(),
        key=lambda one: last if of_class[one] is None else of_class[one],
    )


def test_cluster_puts_classes_that_are_mixed_up_side_by_side():
    label = np.repeat(np.arange(8), 20)
    pred = label.copy()
    for a, b in ((0, 5), (2, 7), (3, 6)):
        pred[20 * a : 20 * a + 6], pred[20 * b : 20 * b + 6] = b, a
    order = class_order(matrix_of(label, pred, 8), "cluster").tolist()
    assert {(0, 5), (2, 7), (3, 6)} <= {tuple(sorted(pair)) for pair in pairwise(order)}


@settings(max_examples=50)
@given(matrices(), st.randoms())
def test_stretches_cover_each_known_superclass_or_none_is_told(matrix, random):
    shuffled = list(range(len(matrix.classes)))
    random.shuffle(shuffled)
    of_class = matrix.superclasses.of_class if matrix.superclasses else [None] * len(shuffled)
    names = [
        None if of_class[one] is None else matrix.superclasses.names[of_class[one]]
        for one in shuffled
    ]
    found = superclass_stretches(matrix, np.array(shuffled))
    told = [None] * len(names)
    for name, start, stop in found:
        assert told[start:stop] == [None] * (stop - start)
        told[start:stop] = [name] * (stop - start)
    runs = [name for at, name in enumerate(names) if name and (at == 0 or names[at - 1] != name)]
    assert told == (names if len(runs) == len(set(runs)) else [None] * len(names))


def test_in_superclass_order_every_superclass_has_its_stretch():
    matrix, _, _ = random_matrix(parents=["b", "a", None, "b", "a", "a", None, "c"])
    found = superclass_stretches(matrix, class_order(matrix, "superclass"))
    assert [tuple(one) for one in found] == [("a", 0, 3), ("b", 3, 5), ("c", 5, 6)]


@pytest.mark.parametrize("normalize", ["none", "true", "pred"])
def test_cells_are_scikit_learns(normalize):
    matrix, label, pred = random_matrix()
    expected = of_scikit_learn(
        label, pred, labels=range(8), normalize=None if normalize == "none" else normalize
    )
    order = np.array([3, 1, 0, 2, 7, 6, 5, 4])
    found = cell_values(matrix, order, normalize=normalize)
    np.testing.assert_allclose(found, expected[order][:, order], rtol=1e-12)


def test_shares_of_some_classes_are_shares_of_all_their_images():
    matrix, _, _ = random_matrix()
    some, everything = np.array([5, 2]), np.arange(8)
    for normalize in ("none", "true", "pred"):
        np.testing.assert_array_equal(
            cell_values(matrix, some, normalize=normalize),
            cell_values(matrix, everything, normalize=normalize)[some][:, some],
        )


def test_what_has_no_images_is_nan_and_never_zero():
    matrix = matrix_of([0, 0, 1], [0, 2, 2], 3)  # class 2 has no images, class 1 no predictions
    everything = np.arange(3)
    no_row = np.array([[False] * 3, [False] * 3, [True] * 3])
    for normalize, unknown in (
        ("none", no_row),
        ("true", no_row),
        ("pred", np.array([[False, True, False]] * 3)),
    ):
        found = cell_values(matrix, everything, normalize=normalize)
        np.testing.assert_array_equal(np.isnan(found), unknown)


@pytest.mark.parametrize("normalize", ["none", "true", "pred"])
def test_the_table_for_reading_holds_the_cells_under_their_names(normalize):
    matrix, _, _ = random_matrix()
    order = class_order(matrix, "cluster")
    table = matrix_table(matrix, order, normalize=normalize).set_index("true_class")
    names = [matrix.classes[one] for one in order]
    assert list(table.index) == list(table.columns) == names
    np.testing.assert_array_equal(table, cell_values(matrix, order, normalize=normalize))


def test_counts_for_reading_are_whole_numbers_even_without_images():
    table = matrix_table(matrix_of([0, 0, 1], [0, 2, 2], 3), np.arange(3), normalize="none")
    assert table.drop(columns="true_class").to_numpy().tolist() == [[1, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_a_class_may_be_called_like_the_column_of_names():
    classes = ClassNames(("true_class", "true_class_", "cat"))
    matrix = confusion_matrix_of_arrays([0, 1, 2], [0, 0, 2], classes)
    table = matrix_table(matrix, np.arange(3), normalize="none")
    assert list(table) == ["true_class__", "true_class", "true_class_", "cat"]
    assert table["true_class__"].tolist() == list(classes.names)
    assert table["true_class"].tolist() == [1, 1, 0]

"""What `import errlens` offers people who have arrays."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errlens
from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.pairs import pair_table
from errlens.classes.names import ClassNames, Superclasses
from errlens.errors import BadClassFile, BadPredictions, ErrlensError

NAMES = ("cat", "dog", "cow", "pig")


def case(seed=0, n=400):
    """Return labels and predictions of which a good part is wrong."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 4, n)
    return label, np.where(random.random(n) < 0.3, random.integers(0, 4, n), label)


def test_indices_and_names_in_arrays_lists_and_series_are_the_same():
    label, pred = case()
    expected = errlens.confused_pairs(label, pred, NAMES)
    assert len(expected) == 6
    names = np.array(NAMES)
    for given_label, given_pred in (
        (label.tolist(), pred.tolist()),
        (label.astype(np.uint8), pred.astype(np.int32)),
        (pd.Series(label), pd.Series(pred)),
        (names[label], names[pred]),
        (names[label].tolist(), names.astype(object)[pred]),
        (pd.Series(names[label]), pd.Series(names[pred], dtype="category")),
        (label, names[pred]),
    ):
        found = errlens.confused_pairs(given_label, given_pred, list(NAMES))
        pd.testing.assert_frame_equal(found, expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))))
@settings(max_examples=40)
def test_counts_are_those_of_a_loop(cells):
    label, pred = ([cell[at] for cell in cells] for at in (0, 1))
    found = errlens.confused_pairs(label, pred, NAMES)
    both = {
        (NAMES[a], NAMES[b]): (cells.count((a, b)), cells.count((b, a)))
        for a in range(4)
        for b in range(a + 1, 4)
        if (a, b) in cells and (b, a) in cells
    }
    assert both == {
        (pair.class_a, pair.class_b): (pair.a_as_b, pair.b_as_a) for pair in found.itertuples()
    }


def test_superclasses_by_name_are_those_of_the_run():
    label, pred = case(seed=1)
    kinds = {"cat": "pet", "dog": "pet", "cow": "pet"}
    found = errlens.confused_pairs(label, pred, NAMES, superclasses=kinds)
    matrix = confusion_matrix_of_arrays(
        label, pred, ClassNames(NAMES), Superclasses(("pet",), (0, 0, 0, None))
    )
    pd.testing.assert_frame_equal(found, pair_table(matrix))
    without = errlens.confused_pairs(label, pred, NAMES, superclasses={})
    pd.testing.assert_frame_equal(without, errlens.confused_pairs(label, pred, NAMES))
    assert not found.equals(without)


@pytest.mark.parametrize(
    ("label", "pred"),
    [
        ([0, 1], [0]),
        ([0], [0, 1]),
        ([[0, 1]], [[0, 1]]),
        (0, 0),
        ([0, 1], [0, 4]),
        ([0, -1], [0, 1]),
        ([0.0, 1.0], [0, 1]),
        ([0, np.nan], [0, 1]),
        ([True, False], [False, True]),
        (["cat", "dgo"], ["cat", "dog"]),
        (["cat", "Dog"], ["cat", "dog"]),
        (["cat", None], ["cat", "dog"]),
        (["cat", np.nan], ["cat", "dog"]),
        (["cat", ""], ["cat", "dog"]),
        (["cat", 1], ["cat", "dog"]),
        ([None, None], [0, 1]),
        (pd.Series([0, None], dtype="Int64"), [0, 1]),
        (pd.Series(["cat", None], dtype="str"), ["cat", "dog"]),
    ],
    ids=str,
)
def test_what_is_no_class_is_refused_with_a_sentence(label, pred):
    for one, other in ((label, pred), (pred, label)):
        with pytest.raises(BadPredictions):
            errlens.confused_pairs(one, other, NAMES)


@pytest.mark.parametrize(
    ("names", "superclasses"),
    [
        (("cat", "cat"), None),
        ((), None),
        (NAMES, {"cta": "pet"}),
    ],
    ids=["repeated", "none", "invented"],
)
def test_names_that_make_no_sense_are_refused(names, superclasses):
    with pytest.raises(BadClassFile):
        errlens.confused_pairs([], [], names, superclasses)


def test_no_images_are_no_pairs():
    for nothing in ([], np.array([], int), np.array([], str), pd.Series([], dtype="str")):
        found = errlens.confused_pairs(nothing, nothing, NAMES)
        assert len(found) == 0
        assert "mutual" in found


def test_a_name_nobody_knows_is_in_the_message():
    with pytest.raises(ErrlensError, match="'dgo'"):
        errlens.confused_pairs(["cat", "dgo"], ["cat", "dog"], NAMES)

import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics

from errlens.analysis.confusion import matrix as confusion
from errlens.analysis.confusion.groups import cluster_order, group_table
from errlens.analysis.confusion.matrix import (
    COLUMNS,
    CellSums,
    cell_table,
    confusion_matrix,
    confusion_matrix_of_arrays,
    superclass_table,
)
from errlens.analysis.confusion.pairs import absorbed_table, pair_table
from errlens.classes.names import ClassNames, Superclasses
from errlens.errors import BadPredictions
from errlens.predictions.table import SCHEMA, Predictions


def class_names(k):
    return ClassNames(tuple(f"class {index}" for index in range(k)))


def part(rows, k):
    """Return predictions for rows of (status, label, pred), None where there is none."""
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    arrays = [
        pa.array(list(values), pa.string()).dictionary_encode().cast(SCHEMA.field(name).type)
        if name == "status"
        else pa.array(list(values), SCHEMA.field(name).type)
        for name, values in zip(COLUMNS, columns, strict=True)
    ]
    return Predictions(pa.table(arrays, names=list(COLUMNS)), class_names(k))


tables = st.integers(1, 6).flatmap(
    lambda k: st.tuples(
        st.just(k),
        st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), max_size=60),
    )
)
super_tables = tables.flatmap(
    lambda table: st.tuples(
        st.just(table),
        st.lists(st.sampled_from([None, 0, 1, 2]), min_size=table[0], max_size=table[0]),
    )
)


def counted(table, parents=None):
    k, rows = table
    label, pred = np.array(rows, int).reshape(-1, 2).T
    kinds = Superclasses(("a", "b", "c"), tuple(parents)) if parents else None
    return confusion_matrix_of_arrays(label, pred, class_names(k), kinds)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_counts_are_scikit_learns(table):
    k, rows = table
    matrix = counted(table)
    label, pred = np.array(rows, int).reshape(-1, 2).T
    if rows and k > 1:  # scikit-learn warns of one class
        expected = metrics.confusion_matrix(label, pred, labels=range(k))
        np.testing.assert_array_equal(matrix.counts.toarray(), expected)
        hits = matrix.counts.diagonal().sum() / matrix.total
        assert hits == metrics.accuracy_score(label, pred)
    np.testing.assert_array_equal(matrix.n, np.bincount(label, minlength=k))
    np.testing.assert_array_equal(matrix.n_predicted, np.bincount(pred, minlength=k))
    assert matrix.total == len(rows)
    assert matrix.n_errors == (label != pred).sum()


@settings(deadline=None, max_examples=40)
@given(tables)
def test_errors_and_rates_are_those_off_the_diagonal(table):
    matrix = counted(table)
    dense = matrix.counts.toarray()
    np.fill_diagonal(dense, 0)
    np.testing.assert_array_equal(matrix.errors.toarray(), dense)
    np.testing.assert_array_equal(matrix.rates.toarray(), dense / np.maximum(matrix.n, 1)[:, None])
    assert matrix.errors.nnz == matrix.rates.nnz == np.count_nonzero(dense)


@settings(deadline=None, max_examples=40)
@given(tables, st.data())
def test_some_classes_have_the_counts_among_them(table, data):
    matrix = counted(table)
    some = data.draw(st.permutations(range(table[0])))[: data.draw(st.integers(1, table[0]))]
    expected = matrix.counts.toarray()[np.ix_(some, some)]
    np.testing.assert_array_equal(matrix.among(np.array(some)), expected)


@settings(deadline=None, max_examples=40)
@given(tables, st.data())
def test_only_rows_with_a_prediction_and_a_label_count(table, data):
    k, rows = table
    good = [("ok", label, pred) for label, pred in rows]
    failed = [
        (status, label, None)
        for status, label in data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["unreadable", "missing", "failed"]),
                    st.none() | st.integers(0, k - 1),
                ),
                max_size=10,
            )
        )
    ]
    unlabelled = [("ok", None, 0), ("label_unknown", None, k - 1)] * data.draw(st.integers(0, 3))
    all_rows = data.draw(st.permutations(good + failed + unlabelled))
    cut = data.draw(st.integers(0, len(all_rows)))
    parts = [part(all_rows[:cut], k), part([], k), part(all_rows[cut:], k)]
    found = confusion_matrix(parts, class_names(k))
    np.testing.assert_array_equal(found.counts.toarray(), counted(table).counts.toarray())
    expected = [sum(label == one for _, label, _ in failed) for one in range(k)]
    assert found.unscored.tolist() == expected


def test_no_parts_make_an_empty_matrix():
    matrix = confusion_matrix([], class_names(3))
    assert matrix.counts.shape == (3, 3)
    assert (matrix.total, matrix.n_errors, matrix.unscored.tolist()) == (0, 0, [0, 0, 0])


@pytest.mark.parametrize("row", [("ok", 3, 0), ("ok", 0, 3), ("ok", -1, 0), ("missing", 3, None)])
def test_classes_that_are_none_are_refused(row):
    with pytest.raises(BadPredictions, match="outside the 3 classes"):
        confusion_matrix([part([("ok", 0, 1), row], 3)], class_names(3))


def test_a_scored_row_without_a_prediction_is_refused():
    with pytest.raises(BadPredictions, match="1 row with status ok, but without"):
        confusion_matrix([part([("ok", 0, 1), ("ok", 0, None)], 3)], class_names(3))


@pytest.mark.parametrize(
    ("label", "pred"),
    [
        ([0, 1], [0]),
        ([[0, 1]], [[0, 1]]),
        (0, 0),
        ([0, 3], [0, 0]),
        ([0, 0], [0, -1]),
        ([0.0, 1.0], [0, 1]),
        (["class 0"], ["class 3"]),
        ([True, False], [True, True]),
    ],
)
def test_lists_that_are_no_classes_are_refused(label, pred):
    with pytest.raises(BadPredictions):
        confusion_matrix_of_arrays(label, pred, class_names(3))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_class_indices_may_be_any_whole_numbers(dtype):
    matrix = confusion_matrix_of_arrays(
        np.array([0, 200, 200], dtype), np.array([200, 200, 0], dtype), class_names(201)
    )
    assert matrix.among(np.array([0, 200])).tolist() == [[0, 1], [1, 1]]


@settings(deadline=None, max_examples=40)
@given(tables)
def test_each_kind_of_error_has_a_row_most_frequent_first(table):
    matrix = counted(table)
    k, rows = table
    names = matrix.classes.names
    expected = []
    for i in range(k):
        n = sum(label == i for label, _ in rows)
        for j in range(k):
            count = rows.count((i, j))
            if i != j and count:
                ci = binomtest(count, n).proportion_ci(method="wilson")
                expected.append((names[i], names[j], count, n, count / n, ci.low, ci.high))
    expected.sort(key=lambda row: -row[2])  # stable: ties stay in the order of the classes
    found = cell_table(matrix)
    assert list(found) == ["true_class", "pred_class", "count", "n", "rate", "low", "high"]
    assert list(found.iloc[:, :4].itertuples(index=False, name=None)) == [r[:4] for r in expected]
    np.testing.assert_allclose(
        found.iloc[:, 4:].to_numpy(float), np.reshape([r[4:] for r in expected], (-1, 3)), atol=1e-9
    )


@settings(deadline=None, max_examples=40)
@given(super_tables)
def test_superclasses_are_counted_like_classes(case):
    table, parents = case
    found = superclass_table(counted(table, parents))
    kinds = [(parents[i], parents[j]) for i, j in table[1]]
    assert len(found) == 9
    for row, (i, j) in enumerate((i, j) for i in range(3) for j in range(3)):
        one = found.loc[row]
        assert (one["true_superclass"], one["pred_superclass"]) == ("abc"[i], "abc"[j])
        n = sum(kind[0] == i and kind[1] is not None for kind in kinds)
        assert (one["count"], one["n"]) == (kinds.count((i, j)), n)
        if n:
            ci = binomtest(int(one["count"]), n).proportion_ci(method="wilson")
            expected = [one["count"] / n, ci.low, ci.high]
            assert one[["rate", "low", "high"]].tolist() == pytest.approx(expected, abs=1e-9)
        else:
            assert one[["rate", "low", "high"]].isna().all()


def test_without_superclasses_their_table_is_empty():
    found = superclass_table(counted((2, [(0, 1), (1, 1)])))
    assert found.empty
    assert found.columns[0] == "true_superclass"


def test_a_matrix_without_errors_has_an_empty_table_of_them():
    found = cell_table(counted((2, [(0, 0), (1, 1)])))
    assert found.empty
    assert list(found) == ["true_class", "pred_class", "count", "n", "rate", "low", "high"]


@settings(deadline=None, max_examples=30)
@given(tables, st.integers(1, 5), st.integers(1, 20))
def test_sums_added_up_on_the_way_are_the_sums(table, pending, size):
    k, rows = table
    label, pred = np.array(rows, int).reshape(-1, 2).T
    values = np.arange(len(rows)) / 8
    sums = CellSums(k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusion, "_PENDING", pending)
        for start in range(0, len(rows), size):
            piece = slice(start, start + size)
            sums.add(label[piece], pred[piece], values[piece])
    expected = np.zeros((k, k))
    np.add.at(expected, (label, pred), values)
    np.testing.assert_array_equal(sums.total().toarray(), expected)


def test_fifty_thousand_classes_stay_sparse():
    k, n = 50_000, 150_000
    random = np.random.default_rng(0)
    label = random.integers(0, k, n)
    pred = np.where(random.random(n) < 0.2, random.integers(0, k, n), label)
    pred = np.where(random.random(n) < 0.3, label ^ 1, pred)  # each class has its double
    names = class_names(k)
    parents = Superclasses(("a", "b"), tuple(index * 2 // k for index in range(k)))
    tracemalloc.start()
    try:
        matrix = confusion_matrix_of_arrays(label, pred, names, parents)
        pairs = pair_table(matrix)
        absorbed = absorbed_table(matrix)
        groups = group_table(matrix, pairs)
        cells = cell_table(matrix)
        cluster_order(matrix)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < k * k / 5  # bytes: a fifth of the smallest square table there is
    assert cells["count"].sum() == (label != pred).sum()
    doubles = {(f"class {one}", f"class {one + 1}") for one in range(0, k, 2)}
    mutual = pairs[pairs["mutual"]]
    assert len(mutual) > 1000
    found = set(zip(mutual["class_a"], mutual["class_b"], strict=True))
    assert len(found - doubles) <= 0.05 * len(found)
    assert len(groups) > 1000
    assert isinstance(absorbed, pd.DataFrame)

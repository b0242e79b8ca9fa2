"""Mean probabilities from the stored top-k, against those of the whole softmax."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.confusion.soft import COLUMNS, soft_matrix, soft_pairs, soft_table
from errlens.classes.names import ClassNames
from errlens.predictions.scores import score
from errlens.predictions.table import SCHEMA, Predictions

TINY = 1e-6  # what float32 loses of a probability


def classes_of(k):
    return ClassNames(tuple(f"class {index}" for index in range(k)))


def part(label, topk_index, topk_prob, *, k, status="ok"):
    statuses = [status] * len(label) if isinstance(status, str) else status
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    columns = (statuses, label, topk_index, topk_prob)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return Predictions(pa.table(arrays, schema=schema), classes_of(k))


def case(*, k, topk, seed, n=60):
    """Return a part of random outputs, their labels and the whole softmax."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(n, k))
    label = random.integers(0, k - 1, n).astype(np.int32)  # the last class has no images
    scores = score(logits, label, topk=topk)
    prob = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    lists = (list(scores.topk_index), list(scores.topk_prob))
    return part(label.tolist(), *lists, k=k), label, prob


def true_means(label, prob):
    """Return the mean softmax of each class; a class without images gets zeros."""
    return np.stack(
        [
            prob[label == index].mean(axis=0) if (label == index).any() else np.zeros(prob.shape[1])
            for index in range(prob.shape[1])
        ]
    )


@given(st.integers(2, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_where_all_classes_are_listed_the_means_are_the_softmaxs(k, seed):
    found, label, prob = case(k=k, topk=k, seed=seed)
    table = soft_table([found], k)
    np.testing.assert_allclose(soft_matrix(table, k).toarray(), true_means(label, prob), atol=TINY)
    np.testing.assert_allclose(table["covered"], 1, atol=TINY)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_else_they_are_too_small_by_what_is_not_covered_at_most(topk, seed):
    k = 30
    found, label, prob = case(k=k, topk=topk, seed=seed)
    table, means = soft_table([found], k), true_means(label, prob)
    bound = soft_matrix(table, k).toarray()
    covered = np.zeros(k)
    covered[table["label"]] = table["covered"]
    assert (bound <= means + TINY).all()
    present = np.unique(label)
    missing = 1 - covered[present, None]
    assert (means[present] <= bound[present] + missing + TINY).all()
    listed = -np.sort(-prob, axis=1)[:, :topk].sum(axis=1)
    np.testing.assert_allclose(
        covered[present], [listed[label == one].mean() for one in present], atol=TINY
    )


def test_rows_stand_in_the_order_of_the_classes_and_count_their_images():
    found, label, _ = case(k=12, topk=5, seed=0)
    table = soft_table([found], 12)
    cells = list(zip(table["label"], table["pred"], strict=True))
    assert cells == sorted(set(cells))
    assert table["n"].tolist() == np.bincount(label, minlength=12)[table["label"]].tolist()
    assert 11 not in table["label"].tolist()


def test_where_parts_end_makes_no_difference():
    found, _, _ = case(k=8, topk=8, seed=1)
    cut = [
        Predictions(found.table.slice(at, length), found.classes)
        for at, length in ((0, 7), (7, 0), (7, 53))
    ]
    whole, parts = soft_table([found], 8), soft_table(cut, 8)
    assert whole[["label", "pred", "n"]].equals(parts[["label", "pred", "n"]])
    np.testing.assert_allclose(whole["mean_prob"], parts["mean_prob"], rtol=1e-12)


def test_only_scored_images_with_a_label_count():
    counted = part([0, 0], [[0, 1], [1, 0]], [[0.75, 0.25], [0.5, 0.5]], k=2)
    more = part(
        [0, 0, None, 0],
        [[0, 1], [0, 1], [0, 1], [1, 0]],
        [[0.75, 0.25], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]],
        k=2,
        status=["ok", "failed", "ok", "ok"],
    )
    assert soft_table([more], 2).equals(soft_table([counted], 2))


def test_without_a_top_k_there_is_no_belief():
    table = soft_table([part([0, 1], [None, None], [None, None], k=3)], 3)
    assert list(table) == ["label", "pred", "mean_prob", "n", "covered"]
    assert len(table) == 0
    pairs = soft_pairs(table, classes_of(3))
    assert list(pairs) == ["class_a", "class_b", "belief_ab", "belief_ba"]
    assert len(pairs) == 0


@given(st.integers(2, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_pairs_are_those_believed_both_ways_surest_first(k, topk, seed):
    found, _, _ = case(k=k, topk=min(topk, k), seed=seed, n=20)
    table, classes = soft_table([found], k), classes_of(k)
    mean = {(one.label, one.pred): one.mean_prob for one in table.itertuples()}
    both = [(a, b) for a, b in combinations(range(k), 2) if (a, b) in mean and (b, a) in mean]
    both.sort(key=lambda pair: (-min(mean[pair], mean[pair[::-1]]), pair))
    pairs = soft_pairs(table, classes)
    assert list(pairs.itertuples(index=False, name=None)) == [
        (classes[a], classes[b], mean[a, b], mean[b, a]) for a, b in both
    ]


def test_equal_beliefs_stand_in_the_order_of_the_classes():
    lists = [[0, 1, 2]] * 3, [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]
    pairs = soft_pairs(soft_table([part([0, 1, 2], *lists, k=3)], 3), classes_of(3))
    assert pairs["belief_ab"].tolist() == [0.25] * 3
    assert pairs[["class_a", "class_b"]].to_numpy().tolist() == [
        ["class 0", "class 1"],
        ["class 0", "class 2"],
        ["class 1", "class 2"],
    ]


@pytest.mark.parametrize("k", [5, 21])
def test_a_matrix_of_all_pairs_has_the_tables_cells(k):
    table = soft_table([case(k=k, topk=min(k, 20), seed=3)[0]], k)
    matrix = soft_matrix(table, k)
    assert matrix.shape == (k, k)
    assert matrix.nnz == len(table)

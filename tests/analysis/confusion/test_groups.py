import json
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform

from errlens.analysis.confusion.groups import (
    MOST_CLUSTERED,
    cluster_order,
    clusters,
    group_table,
    names_of,
    similarity,
    smallest_similarity,
)
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import mutual_pairs, pair_table
from errlens.classes.names import ClassNames

COLUMNS = ["group", "size", "classes", "errors_inside", "share_of_errors", "gain_if_solved"]


def matrix_of(counts):
    counts = np.asarray(counts, np.int64)
    classes = ClassNames(tuple(f"class {index}" for index in range(len(counts))))
    return ConfusionMatrix(csr_array(counts), classes, None, np.zeros(len(counts), np.int64))


def symmetric(k, seed, density=1.0):
    """Return random similarities without ties, but for the zeros."""
    random = np.random.default_rng(seed)
    values = np.triu(random.random((k, k)) ** 3 * (random.random((k, k)) < density), 1)
    return values + values.T


def scipys_clusters(similar, cut):
    """Return the members of each cluster, the single ones included."""
    distance = 1 - similar
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    number = fcluster(tree, 1 - cut, criterion="distance")
    return [tuple(np.flatnonzero(number == one).tolist()) for one in np.unique(number)]


def literal_clusters(similar, cut):
    """Join the most similar clusters, the first of them on ties, until none reach the cut."""
    found = [(index,) for index in range(len(similar))]
    while len(found) > 1:
        ways = [
            (-Fraction(sum(similar[i][j] for i in a for j in b), len(a) * len(b)), a[0], b[0], a, b)
            for a, b in combinations(sorted(found), 2)
        ]
        value, _, _, a, b = min(ways)
        if -value < cut:
            break
        found = [one for one in found if one not in (a, b)] + [tuple(sorted(a + b))]
    return sorted(found)


def held(found, holding):
    return sorted(one for one in found if any(a in one and b in one for a, b in holding))


def every(k):
    return np.array(list(combinations(range(k), 2)))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 25), st.integers(0, 10**6), st.floats(0.001, 0.9), st.sampled_from([0.2, 0.5, 1])
)
def test_clusters_are_scipys(k, seed, cut, density):
    similar = symmetric(k, seed, density)
    expected = [one for one in scipys_clusters(similar, cut) if len(one) > 1]
    assert sorted(clusters(csr_array(similar), cut=cut, holding=every(k))) == sorted(expected)


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 20), st.integers(0, 10**6), st.floats(0.01, 0.5), st.data())
def test_clusters_are_kept_that_hold_a_pair(k, seed, cut, data):
    similar = symmetric(k, seed, 0.5)
    chosen = data.draw(st.lists(st.sampled_from(every(k).tolist()), max_size=4))
    holding = np.array(chosen, int).reshape(-1, 2)
    found = clusters(csr_array(similar), cut=cut, holding=holding)
    assert sorted(found) == held(scipys_clusters(similar, cut), chosen)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 8).flatmap(
        lambda k: st.tuples(
            st.just(k),
            st.lists(st.integers(0, 4), min_size=k * (k - 1) // 2, max_size=k * (k - 1) // 2),
        )
    ),
    st.integers(1, 8),
    st.sampled_from([1, 3, 7, 300]),
)
def test_ties_join_the_lower_classes_first(table, cut, scale):
    k, values = table
    whole = np.zeros((k, k), int)
    whole[np.triu_indices(k, 1)] = values
    whole += whole.T
    found = clusters(csr_array(whole / scale), cut=cut / (2 * scale), holding=every(k))
    expected = literal_clusters(whole.tolist(), Fraction(cut, 2))
    assert sorted(found) == [one for one in expected if len(one) > 1]


def test_of_a_chain_of_equals_the_first_two_are_joined_first():
    chain = np.zeros((4, 4))
    for one in range(3):
        chain[one, one + 1] = chain[one + 1, one] = 0.1
    found = clusters(csr_array(chain), cut=0.06, holding=every(4))
    assert sorted(found) == [(0, 1), (2, 3)]
    assert sorted(clusters(csr_array(chain[:3, :3]), cut=0.06, holding=every(3))) == [(0, 1)]


def test_a_cluster_stands_where_its_first_class_does():
    similar = np.zeros((6, 6))
    for a, b, value in [(0, 4, 0.5), (0, 5, 0.1), (4, 5, 0.1), (2, 5, 0.1)]:
        similar[a, b] = similar[b, a] = value
    assert clusters(csr_array(similar), cut=0.08, holding=every(6)) == [(0, 4, 5)]


def random_counts(k, seed):
    random = np.random.default_rng(seed)
    counts = random.poisson(0.5, (k, k))
    for start in range(0, k - 3, 5):
        counts[start : start + 3, start : start + 3] += random.poisson(8, (3, 3))
    np.fill_diagonal(counts, random.integers(0, 60, k))
    counts[random.random(k) < 0.1] = 0
    return counts


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 20), st.integers(0, 10**6))
def test_a_group_table_says_what_the_definition_says(k, seed):
    counts = random_counts(k, seed)
    matrix = matrix_of(counts)
    pairs = pair_table(matrix)
    n = counts.sum(axis=1)
    rates = np.divide(counts, n[:, None], out=np.zeros((k, k)), where=n[:, None] > 0)
    np.fill_diagonal(rates, 0)
    similar = (rates + rates.T) / 2
    np.testing.assert_allclose(similarity(matrix).toarray(), similar, rtol=1e-12)
    off_diagonal = rates[n > 0].sum() / max((n > 0).sum() * (k - 1), 1)
    cut = max(0.02, 2 * off_diagonal)
    assert smallest_similarity(matrix) == pytest.approx(cut, rel=1e-12)

    exact = [
        [
            Fraction(int(counts[i, j]), max(int(n[i]), 1)) / 2
            + Fraction(int(counts[j, i]), max(int(n[j]), 1)) / 2
            for j in range(k)
        ]
        for i in range(k)
    ]
    expected = held(
        literal_clusters(exact, Fraction(round(cut, 12))), mutual_pairs(matrix, pairs).tolist()
    )
    inside = {one: counts[np.ix_(one, one)].sum() - counts[one, one].sum() for one in expected}
    table = group_table(matrix, pairs)
    assert list(table) == COLUMNS
    assert table["group"].tolist() == list(range(1, len(expected) + 1))
    ranked = sorted(expected, key=lambda one: (-inside[one], one))
    assert names_of(table) == [[matrix.classes[index] for index in one] for one in ranked]
    assert table["size"].tolist() == [len(one) for one in ranked]
    assert table["errors_inside"].tolist() == [inside[one] for one in ranked]
    wrong = counts.sum() - np.trace(counts)
    shares = [inside[one] / wrong for one in ranked]
    gains = [inside[one] / counts.sum() for one in ranked]
    assert table["share_of_errors"].tolist() == pytest.approx(shares)
    assert table["gain_if_solved"].tolist() == pytest.approx(gains)


def test_the_counts_drawn_hold_groups_of_several_sizes():
    sizes = set()
    for seed in range(30):
        matrix = matrix_of(random_counts(18, seed))
        sizes |= set(group_table(matrix, pair_table(matrix))["size"])
    assert sizes >= {2, 3}


@pytest.mark.parametrize("k", [1, 2, 3, 12])
def test_without_mutual_pairs_there_are_no_groups(k):
    matrix = matrix_of(np.diag(np.full(k, 9)) + np.eye(k, k=1, dtype=int))
    table = group_table(matrix, pair_table(matrix))
    assert table.empty
    assert list(table) == COLUMNS


def test_two_classes_are_no_group_for_nothing_says_they_are_mutual():
    matrix = matrix_of([[5, 5], [5, 5]])
    assert group_table(matrix, pair_table(matrix)).empty


def test_names_come_back_as_they_are():
    counts = np.diag(np.full(30, 80))
    counts[3, 5] = counts[5, 3] = 20
    names = [f"{index}" for index in range(30)]
    names[3], names[5] = 'a "b", c', "\u00e9\u732b"
    matrix = ConfusionMatrix(csr_array(counts), ClassNames(tuple(names)), None, np.zeros(30, int))
    table = group_table(matrix, pair_table(matrix))
    assert names_of(table) == [[names[3], names[5]]]
    assert table["classes"][0] == json.dumps([names[3], names[5]], ensure_ascii=False)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_an_order_holds_each_class_once_and_is_always_the_same(k, seed):
    counts = random_counts(k, seed)
    order = cluster_order(matrix_of(counts))
    assert sorted(order) == list(range(k))
    np.testing.assert_array_equal(order, cluster_order(matrix_of(counts)))


@pytest.mark.parametrize("k", [40, 600])  # with an optimal order of the leaves and without
@pytest.mark.parametrize("seed", range(3))
def test_an_order_puts_planted_groups_together(k, seed):
    random = np.random.default_rng(seed)
    shuffled = random.permutation(k)
    counts = np.diag(np.full(k, 80)) + random.poisson(2 / k, (k, k))
    groups = [shuffled[start : start + 4] for start in range(0, 20, 4)]
    for group in groups:
        counts[np.ix_(group, group)] += 5
    place = np.argsort(cluster_order(matrix_of(counts)))
    for group in groups:
        assert np.ptp(place[group]) == len(group) - 1


@pytest.mark.parametrize("k", [1, 2])
def test_up_to_two_classes_stay_in_order(k):
    assert cluster_order(matrix_of(np.ones((k, k)))).tolist() == list(range(k))


def test_of_three_classes_the_two_that_are_mixed_up_are_neighbours():
    order = cluster_order(matrix_of([[8, 0, 2], [0, 9, 0], [2, 0, 8]]))
    assert abs(list(order).index(0) - list(order).index(2)) == 1


def test_more_classes_than_a_tree_holds_stay_in_order():
    k = MOST_CLUSTERED + 1
    counts = csr_array(([5, 5], ([0, k - 1], [k - 1, 0])), shape=(k, k))
    classes = ClassNames(tuple(f"class {index}" for index in range(k)))
    matrix = ConfusionMatrix(counts, classes, None, np.zeros(k, np.int64))
    assert cluster_order(matrix).tolist() == list(range(k))

"""The definition of a mutual pair, against one written down word by word with exact fractions."""

from fractions import Fraction
from itertools import combinations, permutations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import absorbed_table, mutual_pairs, pair_table
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames, Superclasses

PAIR_COLUMNS = [
    "class_a", "class_b", "a_as_b", "b_as_a", "n_a", "n_b",
    "rate_ab", "rate_ab_low", "rate_ab_high", "rate_ba", "rate_ba_low", "rate_ba_high",
    "balance", "lift_ab", "lift_ba", "p_value", "q_value", "mutual", "status",
    "gain_if_solved",
]  # fmt: skip
ABSORBED_COLUMNS = [
    "true_class", "pred_class", "count", "n", "rate", "low", "high", "lift", "q_value",
]  # fmt: skip


def matrix_of(counts, parents=None, names=None):
    """Return the matrix of dense counts; `parents` holds a number or None for each class."""
    counts = np.asarray(counts, np.int64)
    k = len(counts)
    kinds = None
    if parents is not None:
        known = {parent for parent in parents if parent is not None}
        kinds = Superclasses(
            tuple(f"kind {one}" for one in range(max(known, default=0) + 1)),
            tuple(None if parent is None else int(parent) for parent in parents),
        )
    classes = ClassNames(tuple(names or (f"class {index}" for index in range(k))))
    return ConfusionMatrix(csr_array(counts), classes, kinds, np.zeros(k, np.int64))


def comparison_set(i, j, parents):
    """Return a key of the set, and its classes."""
    if parents[i] is not None and parents[i] == parents[j]:
        kin = [k for k, parent in enumerate(parents) if parent == parents[i]]
        if len(kin) >= 3:
            return parents[i], kin
    return "all", range(len(parents))


def exact_tail(least, n, alpha, beta):
    ways = (comb(x + alpha - 1, x) * comb(n - x + beta - 1, n - x) for x in range(least, n + 1))
    return Fraction(sum(ways), comb(n + alpha + beta - 1, n))


def null(counts, i, j, members):
    """Return the errors of row i, alpha and beta."""
    errors = sum(int(counts[i][k]) for k in members if k != i)
    taken = {
        k: sum(int(counts[row][k]) for row in members if row not in (k, i))
        for k in members
        if k != i
    }
    return errors, taken[j] + 1, sum(taken[k] + 1 for k in members if k not in (i, j))


def cell(counts, i, j, parents, least):
    """Return the tail and the lift of a cell."""
    errors, alpha, beta = null(counts, i, j, comparison_set(i, j, parents)[1])
    lift = Fraction(int(counts[i][j]) * (alpha + beta), errors * alpha)
    return exact_tail(least, errors, alpha, beta), lift


def literal_pairs(counts, parents):
    """Return what the definition says of each pair of classes, by their indices."""
    k = len(counts)
    n = [int(one) for one in np.sum(counts, axis=1)]
    found, families = {}, {}
    for a, b in combinations(range(k), 2):
        fewest = int(min(counts[a][b], counts[b][a]))
        one = {"p": Fraction(1), "fewest": fewest}
        if fewest >= 1:
            there, lift_ab = cell(counts, a, b, parents, fewest)
            back, lift_ba = cell(counts, b, a, parents, fewest)
            one |= {"lift": (lift_ab, lift_ba), "p": there * back if fewest >= 2 else Fraction(1)}
            rates = Fraction(int(counts[a][b]), n[a]), Fraction(int(counts[b][a]), n[b])
            one |= {"rate": rates, "balance": min(rates) / max(rates)}
        found[a, b] = one
        families.setdefault(comparison_set(a, b, parents)[0] == "all", []).append((a, b))
    for pairs in families.values():
        q_values = false_discovery_control([float(found[pair]["p"]) for pair in pairs])
        for pair, q_value in zip(pairs, q_values, strict=True):
            found[pair]["q"] = q_value
    for one in found.values():
        if one["fewest"]:
            one["status"] = literal_status(one)
    return {pair: one for pair, one in found.items() if one["fewest"]}


def literal_status(one):
    a = one["fewest"] >= 2
    b, c, d = one["q"] <= 0.05, one["balance"] >= Fraction(1, 4), min(one["lift"]) >= 2
    if a and b and c:
        return "mutual" if d else "likely"
    return "candidate" if a else "untested"


def literal_cells(counts, parents):
    """Return the q value and the lift of each cell off the diagonal, None where it is empty."""
    cells = list(permutations(range(len(counts)), 2))
    found = {}
    for i, j in cells:
        count = int(counts[i][j])
        found[i, j] = cell(counts, i, j, parents, count) if count else (1, None)
    q_values = false_discovery_control([float(found[one][0]) for one in cells])
    return {one: (q_value, found[one][1]) for one, q_value in zip(cells, q_values, strict=True)}


def literal_absorbed(counts, parents):
    """Return the q value and the lift of each absorbed cell."""
    n = [int(one) for one in np.sum(counts, axis=1)]
    return {
        (i, j): (q_value, float(lift))
        for (i, j), (q_value, lift) in literal_cells(counts, parents).items()
        if q_value <= 0.05
        and lift
        # The way back is less than a quarter of the rate; multiplied out, as j may have no images.
        and 4 * int(counts[j][i]) * n[i] < int(counts[i][j]) * max(n[j], 1)
    }


def assume_decided(counts, parents):
    """Leave out what is 0.05 but for rounding, such as six times a chance of 1 in 120."""
    of_pairs = [one["q"] for one in literal_pairs(counts, parents).values()]
    of_cells = [q_value for q_value, _ in literal_cells(counts, parents).values()]
    assume(all(abs(q_value - 0.05) > 1e-9 for q_value in of_pairs + of_cells))


def planted(k, seed):
    """Return counts with some heavy cells, some empty classes and some without errors."""
    random = np.random.default_rng(seed)
    counts = random.poisson(random.choice([0.1, 0.5, 2]), (k, k))
    for _ in range(random.integers(0, k)):
        i, j = random.integers(0, k, 2)
        counts[i, j] += random.integers(2, 15)
        counts[j, i] += random.integers(0, 15)
    np.fill_diagonal(counts, random.integers(0, 40, k))
    counts[random.random(k) < 0.1] = 0
    counts[:, random.random(k) < 0.1] = 0
    return counts


@st.composite
def cases(draw, least=3, most=9):
    k = draw(st.integers(least, most))
    counts = planted(k, draw(st.integers(0, 10**6)))
    kind = st.sampled_from(draw(st.sampled_from([[None], [0], [0, 1], [None, 0, 1, 2]])))
    return counts, draw(st.lists(kind, min_size=k, max_size=k))


def indices(table, matrix, a, b):
    of_name = {name: index for index, name in enumerate(matrix.classes.names)}
    return [(of_name[x], of_name[y]) for x, y in zip(table[a], table[b], strict=True)]


def test_the_cases_drawn_hold_pairs_of_either_kind():
    parents = [None, 0, 0, 0, 1, 1, 1, 1]
    seen = {
        (one["q"] <= 0.05, one["balance"] >= 0.25, min(one["lift"]) >= 2)
        for seed in range(300)
        for one in literal_pairs(planted(8, seed), parents).values()
        if one["fewest"] >= 2
    }
    yes, no = True, False
    assert seen >= {(yes, yes, yes), (no, yes, yes), (yes, no, yes), (no, no, yes), (no, yes, no)}


@settings(deadline=None, max_examples=60)
@given(cases())
def test_pairs_are_the_literal_ones(case):
    counts, parents = case
    assume_decided(counts, parents)
    matrix = matrix_of(counts, parents)
    table = pair_table(matrix)
    expected = literal_pairs(counts, parents)
    assert list(table) == PAIR_COLUMNS
    pairs = indices(table, matrix, "class_a", "class_b")
    assert sorted(pairs) == sorted(expected)
    total = counts.sum()
    for pair, row in zip(pairs, table.itertuples(index=False), strict=True):
        (a, b), one = pair, expected[pair]
        n_a, n_b = counts[a].sum(), counts[b].sum()
        assert (row.a_as_b, row.b_as_a, row.n_a, row.n_b) == (
            counts[a, b], counts[b, a], n_a, n_b,
        )  # fmt: skip
        assert (row.rate_ab, row.rate_ba) == tuple(float(rate) for rate in one["rate"])
        assert (row.rate_ab_low, row.rate_ab_high) == wilson_interval(counts[a, b], n_a)
        assert (row.rate_ba_low, row.rate_ba_high) == wilson_interval(counts[b, a], n_b)
        assert row.balance == pytest.approx(float(one["balance"]), rel=1e-12)
        assert row.lift_ab == pytest.approx(float(one["lift"][0]), rel=1e-12)
        assert row.lift_ba == pytest.approx(float(one["lift"][1]), rel=1e-12)
        assert row.p_value == pytest.approx(float(one["p"]), rel=1e-8)
        assert row.q_value == pytest.approx(one["q"], rel=1e-8)
        assert (row.status, row.mutual) == (one["status"], one["status"] == "mutual")
        assert row.gain_if_solved == pytest.approx((counts[a, b] + counts[b, a]) / total)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_absorbed_cells_are_the_literal_ones(case):
    counts, parents = case
    assume_decided(counts, parents)
    matrix = matrix_of(counts, parents)
    table = absorbed_table(matrix)
    expected = literal_absorbed(counts, parents)
    assert list(table) == ABSORBED_COLUMNS
    found = indices(table, matrix, "true_class", "pred_class")
    assert sorted(found) == sorted(expected)
    for (i, j), row in zip(found, table.itertuples(index=False), strict=True):
        q_value, lift = expected[i, j]
        assert (row.count, row.n) == (counts[i, j], counts[i].sum())
        assert row.rate == counts[i, j] / counts[i].sum()
        assert (row.low, row.high) == wilson_interval(counts[i, j], counts[i].sum())
        assert row.q_value == pytest.approx(q_value, rel=1e-8)
        assert row.lift == pytest.approx(lift, rel=1e-12)
    rank = [(-row.low, -row.rate, -row.count) for row in table.itertuples()]
    assert [(*key, *one) for key, one in zip(rank, found, strict=True)] == sorted(
        (*key, *one) for key, one in zip(rank, found, strict=True)
    )


@settings(deadline=None, max_examples=25)
@given(cases())
def test_the_best_evidence_comes_first(case):
    counts, parents = case
    assume_decided(counts, parents)
    matrix = matrix_of(counts, parents)
    n = counts.sum(axis=1)
    literal = literal_pairs(counts, parents)

    def rank(pair):
        a, b = pair
        status = ("mutual", "likely", "candidate", "untested").index(literal[pair]["status"])
        lows = [wilson_interval(counts[i, j], n[i]).low for i, j in (pair, pair[::-1])]
        both = int(counts[a, b] + counts[b, a])
        return status, round(max(literal[pair]["q"], 0.001), 9), -both, -min(lows), a, b

    found = indices(pair_table(matrix), matrix, "class_a", "class_b")
    assert found == sorted(literal, key=rank)


def test_what_is_likely_to_be_chance_is_never_the_strongest_candidate():
    counts = np.full((12, 12), 3)
    counts[:, [0, 1]] = 30  # all are taken for these two, which are less so for one another
    counts[0, 1] = counts[1, 0] = 18
    counts[4, 5], counts[5, 4] = 60, 12  # less than a quarter comes back
    np.fill_diagonal(counts, 300)
    table = pair_table(matrix_of(counts))
    first, chance = (
        table.set_index(["class_a", "class_b"]).loc[ends]
        for ends in (("class 4", "class 5"), ("class 0", "class 1"))
    )
    assert not table["mutual"].any()
    assert (first["status"], chance["status"]) == ("candidate", "candidate")
    assert first["q_value"] < 0.001
    assert chance["q_value"] > 0.5
    assert min(chance["lift_ab"], chance["lift_ba"]) < 1
    assert tuple(table[["class_a", "class_b"]].iloc[0]) == ("class 4", "class 5")


def test_ties_go_by_the_gain_then_the_smaller_bound_then_the_class():
    counts = np.diag([20, 20, 20, 20, 20, 20, 20, 20, 40, 40])
    for a, b, there, back in [(0, 3, 2, 2), (1, 2, 2, 2), (4, 7, 1, 3), (5, 6, 3, 2)]:
        counts[a, b], counts[b, a] = there, back
        counts[a, a] -= there
        counts[b, b] -= back
    table = pair_table(matrix_of(counts))
    assert table["status"].tolist() == ["mutual"] * 3 + ["untested"]
    names = [(5, 6), (0, 3), (1, 2), (4, 7)]
    matrix = matrix_of(counts)
    assert indices(table, matrix, "class_a", "class_b") == names


# The errors of a small network on 2,000 photos of CIFAR-10, 200 a class.
CIFAR = np.array(
    [
        [173, 2, 6, 1, 3, 1, 3, 2, 7, 2],
        [4, 181, 0, 1, 0, 1, 1, 1, 5, 6],
        [6, 0, 158, 6, 8, 5, 12, 3, 0, 2],
        [4, 0, 7, 136, 8, 22, 13, 6, 3, 1],
        [2, 1, 6, 5, 163, 6, 8, 9, 0, 0],
        [1, 0, 5, 24, 1, 160, 2, 5, 1, 1],
        [2, 1, 2, 8, 4, 3, 178, 1, 0, 1],
        [3, 0, 5, 11, 4, 7, 1, 168, 0, 1],
        [5, 1, 1, 0, 0, 0, 3, 1, 185, 4],
        [7, 7, 0, 1, 0, 0, 0, 0, 7, 178],
    ]
)
CIFAR_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def test_a_pair_that_misses_only_the_lift_is_likely():
    vehicles = (0, 1, 8, 9)
    kinds = [int(index in vehicles) for index in range(10)]
    table = pair_table(matrix_of(CIFAR, kinds, CIFAR_NAMES))
    first = table.iloc[0]
    assert (first["class_a"], first["class_b"]) == ("cat", "dog")
    assert (first["status"], first["mutual"]) == ("likely", False)
    assert first["q_value"] < 0.001
    assert first[["lift_ab", "lift_ba"]].round(1).tolist() == [1.8, 2.8]
    assert table["status"][1:].isin(["candidate", "untested"]).all()


def test_a_way_is_no_one_way_street_where_as_many_come_back():
    # Cat to dog is the largest error there is: dog to cat is no street of its own.
    for kinds in (None, [int(index in (0, 1, 8, 9)) for index in range(10)]):
        matrix = matrix_of(CIFAR, kinds, CIFAR_NAMES)
        assert absorbed_table(matrix).empty
    counts = CIFAR.copy()
    counts[5, 3], counts[5, 5] = 5, 179
    matrix = matrix_of(counts, names=CIFAR_NAMES)
    assert absorbed_table(matrix)[["true_class", "pred_class"]].to_numpy().tolist() == [
        ["cat", "dog"]
    ]


@pytest.mark.parametrize(("back", "is_one_way"), [(9, True), (10, False)])
def test_a_quarter_of_the_rate_the_other_way_is_no_one_way_street(back, is_one_way):
    counts = np.diag(np.full(20, 1000))
    counts[0, :2] = [960, 40]
    counts[1, :2] = [back, 1000 - back]
    assert len(absorbed_table(matrix_of(counts))) == is_one_way


def test_a_class_without_images_absorbs_others_one_way():
    counts = np.diag([50, 50, 50, 0])
    counts[0] = [20, 0, 0, 30]
    table = absorbed_table(matrix_of(counts))
    assert table[["true_class", "pred_class", "count"]].to_numpy().tolist() == [
        ["class 0", "class 3", 30]
    ]


def as_seen_by_names(table):
    """Return each pair by the set of its names, with what is said of each way."""
    found = {}
    for row in table.itertuples(index=False):
        ab = (row.a_as_b, row.n_a, row.rate_ab, row.rate_ab_low, row.rate_ab_high, row.lift_ab)
        ba = (row.b_as_a, row.n_b, row.rate_ba, row.rate_ba_low, row.rate_ba_high, row.lift_ba)
        both = (row.balance, row.p_value, row.q_value, row.gain_if_solved)
        ways = sorted([(row.class_a, *ab), (row.class_b, *ba)])
        found[frozenset((row.class_a, row.class_b))] = ways, row.status, both
    return found


@settings(deadline=None, max_examples=25)
@given(cases(), st.randoms(use_true_random=False))
def test_other_numbers_for_the_classes_change_nothing_but_ties(case, random):
    counts, parents = case
    assume_decided(counts, parents)
    k = len(counts)
    order = list(range(k))
    random.shuffle(order)
    one = matrix_of(counts, parents)
    other = matrix_of(
        counts[np.ix_(order, order)],
        [parents[index] for index in order],
        [one.classes[index] for index in order],
    )
    tables = pair_table(one), pair_table(other)
    mine, theirs = (as_seen_by_names(table) for table in tables)
    assert mine.keys() == theirs.keys()
    for pair, (ways, status, both) in mine.items():
        assert theirs[pair][:2] == (ways, status)
        assert theirs[pair][2] == pytest.approx(both, rel=1e-9)
    first, second = (
        [
            (row.status, row.gain_if_solved, min(row.rate_ab_low, row.rate_ba_low))
            for row in table.itertuples()
        ]
        for table in tables
    )
    assert first == second
    key = ["true_class", "pred_class"]
    mine, theirs = (absorbed_table(matrix).set_index(key).sort_index() for matrix in (one, other))
    pd.testing.assert_frame_equal(mine, theirs, rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(cases())
def test_one_superclass_of_all_is_none(case):
    counts, _ = case
    k = len(counts)
    pd.testing.assert_frame_equal(
        pair_table(matrix_of(counts, [0] * k)), pair_table(matrix_of(counts))
    )


@settings(deadline=None, max_examples=25)
@given(cases())
def test_superclasses_of_one_or_two_classes_compare_with_all(case):
    counts, _ = case
    small = [index // 2 for index in range(len(counts))]
    pd.testing.assert_frame_equal(
        pair_table(matrix_of(counts, small)), pair_table(matrix_of(counts))
    )


@settings(deadline=None, max_examples=25)
@given(cases(least=4))
def test_errors_between_superclasses_say_nothing_of_pairs_inside(case):
    counts, _ = case
    k = len(counts)
    parents = [0] * 3 + [None] * (k - 3)
    fewer = counts.copy()
    fewer[:3, 3:] = fewer[3:, :3] = 0
    fewer[np.arange(3), np.arange(3)] += counts[:3, 3:].sum(axis=1)
    tables = [pair_table(matrix_of(one, parents)) for one in (counts, fewer)]
    inside = {"class 0", "class 1", "class 2"}
    mine, theirs = (
        table[table["class_a"].isin(inside) & table["class_b"].isin(inside)]
        .drop(columns="gain_if_solved")
        .reset_index(drop=True)
        for table in tables
    )
    pd.testing.assert_frame_equal(mine, theirs)


@pytest.mark.parametrize(("back", "mutual"), [(4, True), (3, False)])
def test_a_balance_of_a_quarter_is_enough(back, mutual):
    counts = np.diag(np.full(30, 100))
    counts[0, :3] = [83, 16, 1]
    counts[1, :3] = [back, 99 - back, 1]
    table = pair_table(matrix_of(counts))
    row = table.set_index(["class_a", "class_b"]).loc["class 0", "class 1"]
    assert row["q_value"] <= 0.05
    assert min(row["lift_ab"], row["lift_ba"]) > 2
    assert row["balance"] == back / 16
    assert row["mutual"] == mutual


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_without_errors_the_tables_are_empty_but_complete(k):
    matrix = matrix_of(np.diag(np.full(k, 5)))
    table = pair_table(matrix)
    assert table.empty
    assert list(table) == PAIR_COLUMNS
    assert table["mutual"].dtype == "boolean"
    absorbed = absorbed_table(matrix)
    assert absorbed.empty
    assert list(absorbed) == ABSORBED_COLUMNS
    assert mutual_pairs(matrix, table).shape == (0, 2)


def test_without_images_the_tables_are_empty():
    matrix = matrix_of(np.zeros((5, 5)))
    assert pair_table(matrix).empty
    assert absorbed_table(matrix).empty


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=4, max_size=4))
@example([5, 10, 10, 5])
def test_two_classes_have_nothing_to_compare_with(counts):
    matrix = matrix_of(np.reshape(counts, (2, 2)))
    table = pair_table(matrix)
    assert len(table) == (counts[1] > 0 and counts[2] > 0)
    assert table[["lift_ab", "lift_ba", "p_value", "q_value", "mutual"]].isna().all(axis=None)
    assert table["status"].eq("untested").all()
    assert table["p_value"].dtype == table["q_value"].dtype == float
    assert table["mutual"].dtype == "boolean"
    assert mutual_pairs(matrix, table).shape == (0, 2)
    assert absorbed_table(matrix).empty


def test_one_image_each_way_is_listed_but_no_mutual_pair():
    counts = np.diag(np.full(40, 1000))
    counts[0, 1] = counts[1, 0] = 1
    (row,) = pair_table(matrix_of(counts)).itertuples()
    assert (row.p_value, row.q_value, row.mutual, row.status) == (1, 1, False, "untested")


def test_names_are_matched_as_they_are():
    counts = np.diag(np.full(40, 90))
    counts[3, 5] = counts[5, 3] = 10
    names = [f"{index}" for index in range(40)]
    names[3], names[5] = "A/B~c, \u00e9", ' "q" '
    matrix = matrix_of(counts, names=names)
    assert mutual_pairs(matrix, pair_table(matrix)).tolist() == [[3, 5]]


def test_millions_of_errors_in_one_class_are_no_matter():
    counts = np.diag(np.full(3, 10**7))
    counts[0] = [10**6, 3 * 10**6, 2 * 10**6]
    counts[1, 0] = counts[2, 0] = 2
    table = pair_table(matrix_of(counts))
    assert table["p_value"].between(0, 1).all()
    assert len(absorbed_table(matrix_of(counts))) <= 4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

from errlens.analysis.confusion.label_space import (
    ALPHA,
    LEAST_CERTAIN,
    LEAST_MATCHED,
    LEAST_PER_CLASS,
    LEAST_SUSPECT,
    MOST_GIVEN,
    _best_match,
    exchanged_classes,
    renamed_classes,
)


def simulate(random, *, k, images, accuracy, neighbour="pair"):
    """Return labels and predictions of a model half of whose errors go to one fixed class."""
    label = np.repeat(np.arange(k), images)
    pred = label.copy()
    wrong = random.random(len(label)) > accuracy
    to_neighbour = wrong & (random.random(len(label)) < 0.5)
    anywhere = (label + random.integers(1, k, len(label))) % k
    beside = np.minimum(label ^ 1, k - 1) if neighbour == "pair" else (label + 1) % k
    pred[wrong] = anywhere[wrong]
    pred[to_neighbour] = beside[to_neighbour]
    return label, pred


def stops(label, pred, k) -> bool:
    return any(cycle.is_certain for cycle in exchanged_classes(label, pred, n_classes=k))


def false_stops(*, repeats: int, seed: int) -> tuple[int, int]:
    """Count the runs with right label spaces that would be stopped."""
    random = np.random.default_rng(seed)
    stopped = total = 0
    for k in (10, 30, 100, 300, 1000):
        for images in (1, 2, 5, 7, 10, 20, 50):
            for accuracy in (0.5, 0.6, 0.7, 0.9):
                for neighbour in ("pair", "ring"):
                    for _ in range(max(1, repeats // k)):
                        label, pred = simulate(
                            random, k=k, images=images, accuracy=accuracy, neighbour=neighbour
                        )
                        stopped += stops(label, pred, k)
                        total += 1
    return stopped, total


def test_right_label_spaces_are_hardly_ever_stopped():
    stopped, total = false_stops(repeats=100, seed=1)
    assert total > 600
    assert stopped <= 0.01 * total


@pytest.mark.slow
def test_right_label_spaces_are_hardly_ever_stopped_in_many_runs():
    stopped, total = false_stops(repeats=3000, seed=2)
    assert total > 20_000
    assert stopped <= 0.01 * total


@pytest.mark.parametrize("k", [10, 37, 100])
@pytest.mark.parametrize("length", [2, 3, 5])
def test_folders_in_a_cycle_are_found(k, length):
    random = np.random.default_rng(length)
    right = 0
    for _ in range(100):
        label, pred = simulate(random, k=k, images=50, accuracy=0.8)
        ring = random.choice(k, length, replace=False)
        shown = np.arange(k)  # what the folder of a class is called
        shown[ring] = np.roll(ring, 1)
        cycles = exchanged_classes(shown[label], pred, n_classes=k)
        taken = {pair for cycle in cycles if cycle.is_certain for pair in cycle.pairs()}
        right += taken == {(shown[index], index) for index in ring}
    assert right >= 99


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_a_model_that_knows_only_a_few_outputs_is_not_accused(outputs):
    random = np.random.default_rng(0)
    for n in (50, 300, 3000):
        for _ in range(30):
            label = random.integers(0, 10, n)
            pred = random.integers(0, outputs, n)
            pred[label == 0] = outputs - 1  # and it gives one class what it gives another least
            assert not stops(label, pred, 10)


def test_few_images_only_warn_and_fewer_are_silent():
    label = np.repeat([0, 1, 2, 3], [5, 5, 30, 30])
    pred = np.repeat([1, 0, 2, 3], [5, 5, 30, 30])
    (cycle,) = exchanged_classes(label, pred, n_classes=4)
    assert not cycle.is_certain
    assert (cycle.classes, cycle.n, cycle.matched, cycle.given) == ((0, 1), 10, 10, 0)
    assert not exchanged_classes(label[1:-1], pred[1:-1], n_classes=4)


def test_a_class_of_fewer_than_five_images_keeps_its_name():
    label = np.repeat([0, 1, 2], [40, 4, 40])
    pred = np.repeat([1, 0, 2], [40, 4, 40])
    assert not exchanged_classes(label, pred, n_classes=3)


def test_a_tie_goes_to_the_given_name():
    label = np.repeat([0, 1], 20)
    pred = np.tile([0, 1], 20)
    assert not exchanged_classes(label, pred, n_classes=2)


def test_nothing_scored_and_one_class_are_no_cycle():
    nothing = np.zeros(0, np.int64)
    assert exchanged_classes(nothing, nothing, n_classes=3) == []
    assert exchanged_classes(np.zeros(30, int), np.zeros(30, int), n_classes=1) == []


def test_fifty_thousand_classes_need_no_square_table():
    label = np.repeat(np.arange(50_000), 5)
    pred = label.copy()
    pred[label == 7], pred[label == 9] = 9, 7
    (cycle,) = exchanged_classes(label, pred, n_classes=50_000)
    assert cycle.classes == (7, 9)


tables = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.just(k),
        st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=80),
    )
)


@settings(deadline=None)
@given(tables)
def test_the_match_agrees_with_as_many_images_as_scipys_dense_one(table):
    k, rows = table
    label, pred = np.array(rows).T
    counts = np.zeros((k, k), int)
    np.add.at(counts, (label, pred), 1)
    match = _best_match(label, pred, np.arange(k))
    assert sorted(match) == list(range(k))
    # A class is taken for another only where at least one image says so.
    weight = np.where(counts, (k + 1.0) * counts, -1e9 * ~np.eye(k, dtype=bool)) + np.eye(k)
    best = weight[linear_sum_assignment(weight, maximize=True)].sum()
    assert weight[np.arange(k), match].sum() == best


@settings(deadline=None)
@given(tables, st.integers(1, 8))
def test_every_cycle_keeps_the_rule(table, times):
    k, rows = table
    label, pred = np.repeat(np.array(rows), times, axis=0).T
    counts = np.bincount(label, minlength=k)
    for cycle in exchanged_classes(label, pred, n_classes=k):
        to = dict(cycle.pairs())
        inside = [(a, b) for a, b in zip(label.tolist(), pred.tolist(), strict=True) if a in to]
        assert cycle.n == len(inside) >= LEAST_SUSPECT
        assert all(counts[index] >= LEAST_PER_CLASS for index in cycle.classes)
        assert cycle.matched == sum(to[a] == b for a, b in inside) >= LEAST_MATCHED * cycle.n
        assert cycle.given == sum(a == b for a, b in inside) <= MOST_GIVEN * cycle.n
        test = binomtest(cycle.matched, cycle.matched + cycle.given, alternative="greater")
        assert cycle.p_value == pytest.approx(test.pvalue)
        assert cycle.p_value < ALPHA
        assert cycle.n >= LEAST_CERTAIN or not cycle.is_certain


def test_two_names_of_one_class_are_found():
    label = np.repeat([0, 1, 2], 20)
    pred = np.repeat([3, 1, 2], 20)
    pred[:4] = 1
    assert renamed_classes(label, pred, n_classes=5) == [(0, 3, 20, 16)]
    pred[5] = 0  # it is predicted after all
    assert not renamed_classes(label, pred, n_classes=5)


@pytest.mark.parametrize("outputs", [(3,), (3, 4)])
def test_outputs_that_get_all_images_are_no_other_name_of_one_class(outputs):
    label = np.repeat([0, 1, 2], 20)
    pred = np.resize(outputs, 60)
    assert not renamed_classes(label, pred, n_classes=5)

"""Channels that differ between groups of images are found; scipy says by how much."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, mannwhitneyu, permutation_test, rankdata

from errlens.analysis.channels.firing import (
    A_AS_B,
    B_AS_A,
    CLASSES,
    FIRING_COLUMNS,
    Firing,
    Groups,
    compare_firing,
    control_channels,
    leading_channels,
    mann_whitney,
    suspects,
)

NAMES = ("cat", "dog")


def firing_of(largest, *, mean=None, lowest=0.0):
    largest = np.asarray(largest, np.float32)
    mean = largest / 2 if mean is None else np.asarray(mean, np.float32)
    return Firing("layer4", (2, 3), largest, mean, np.zeros(largest.shape, np.int32), lowest)


def images(*counts):
    """Return the groups of so many right cats, cats as dogs, right dogs, and dogs as cats."""
    label = np.repeat([0, 0, 1, 1], counts)
    pred = np.repeat([0, 1, 1, 0], counts)
    return Groups.of(label, pred, 0, 1)


@pytest.mark.parametrize(("n", "m"), [(40, 60), (9, 300), (5, 200)])
def test_the_test_is_that_of_scipy(n, m):
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.4, 1, (n, 7)), rng.normal(0, 1, (m, 7))
    if n > 5:
        one, other = one.round(1), other.round(1)  # with ties
    auc, p_value = mann_whitney(one, other)
    for column in range(7):
        expected = mannwhitneyu(one[:, column], other[:, column])
        assert auc[column] * n * m == pytest.approx(expected.statistic)
        assert p_value[column] == pytest.approx(expected.pvalue)


@given(st.lists(st.integers(0, 4), min_size=4, max_size=8))
def test_of_few_images_with_ties_all_ways_to_divide_them_are_counted(values):
    n = 2
    one, other = np.array(values[:n], float), np.array(values[n:], float)
    ranks = rankdata(values)

    def off(first, _second):
        return abs(first.sum() - n * ranks.mean())

    expected = permutation_test(
        (ranks[:n], ranks[n:]), off, n_resamples=np.inf, alternative="greater", vectorized=False
    )
    auc, p_value = mann_whitney(one[:, None], other[:, None])
    assert p_value[0] == pytest.approx(expected.pvalue)
    above = (one[:, None] > other).mean() + (one[:, None] == other).mean() / 2
    assert auc[0] == pytest.approx(above)


def test_a_channel_that_never_fires_tells_nothing_apart():
    auc, p_value = mann_whitney(np.zeros((30, 1)), np.zeros((40, 1)))
    assert (auc[0], p_value[0]) == (0.5, 1.0)


def test_the_channel_that_fires_in_errors_is_first_and_the_only_suspect():
    rng = np.random.default_rng(1)
    groups = images(50, 20, 50, 20)
    values = rng.random((140, 6))
    values[groups.a_as_b, 4] += 2
    table = compare_firing(firing_of(values), groups, NAMES)
    assert tuple(table.columns) == tuple(FIRING_COLUMNS)
    assert leading_channels(table, 2)[0] == 4
    assert suspects(table, 1, rectified=True) == [4]
    first = table[(table["rank"] == 1) & (table["comparison"] == A_AS_B)]
    assert first["auc"].tolist() == [1.0, 1.0]
    assert (first["group"].iloc[0], first["against"].iloc[0]) == ("cat taken for dog", "cat, right")
    assert (first["q_value"] < 1e-6).all()


def test_q_values_are_of_all_channels_and_both_measures_of_one_comparison():
    values = np.random.default_rng(2).random((60, 5))
    table = compare_firing(firing_of(values, mean=values[:, ::-1]), images(20, 10, 20, 10), NAMES)
    for comparison in (CLASSES, A_AS_B, B_AS_A):
        of_one = table[table["comparison"] == comparison]
        assert len(of_one) == 10
        expected = false_discovery_control(of_one["p_value"])
        np.testing.assert_allclose(of_one["q_value"], expected)


def test_a_channel_that_fires_less_in_errors_is_a_suspect_only_where_zero_is_no_silence():
    values = np.random.default_rng(3).random((140, 3))
    groups = images(50, 20, 50, 20)
    values[groups.a_as_b | groups.b_as_a, 2] -= 3
    table = compare_firing(firing_of(values), groups, NAMES)
    assert leading_channels(table, 1) == [2]
    assert 2 not in suspects(table, 3, rectified=True)
    assert suspects(table, 3, rectified=False)[0] == 2


def test_without_errors_channels_are_ranked_by_classes_and_none_is_a_suspect():
    values = np.random.default_rng(4).random((40, 4))
    groups = images(20, 0, 20, 0)
    values[groups.of_b, 1] += 1
    table = compare_firing(firing_of(values), groups, NAMES)
    assert set(table["comparison"]) == {CLASSES}
    assert leading_channels(table, 1) == [1]
    assert suspects(table, 10, rectified=True) == []


def test_a_class_that_is_never_right_is_compared_with_nothing():
    values = np.random.default_rng(5).random((30, 2))
    table = compare_firing(firing_of(values), images(0, 10, 15, 5), NAMES)
    assert set(table["comparison"]) == {CLASSES, B_AS_A}


def test_channels_that_say_the_same_are_ranked_by_their_number():
    values = np.repeat(np.random.default_rng(6).random((30, 1)), 3, axis=1)
    table = compare_firing(firing_of(values), images(10, 5, 10, 5), NAMES)
    assert leading_channels(table, 3) == [0, 1, 2]


@pytest.mark.parametrize(("lowest", "silent"), [(0.0, 0.0), (-0.28, 0.0), (-4.0, 2.5)])
def test_a_silent_channel_of_a_linear_layer_puts_out_what_it_does_on_average(lowest, silent):
    values = np.full((4, 1), 5.0)
    assert firing_of(values, lowest=lowest).silent.tolist() == [silent]


def test_controls_are_no_suspects_and_come_of_the_seed():
    drawn = control_channels([3, 5], 40, 10, seed=1)
    assert drawn == control_channels([3, 5], 40, 10, seed=1) == sorted(set(drawn) - {3, 5})
    assert drawn != control_channels([3, 5], 40, 10, seed=2)
    assert control_channels([0], 1, 10, seed=0) == []

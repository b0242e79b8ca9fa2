import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from errlens.analysis.statistics.intervals import wilson_interval


@pytest.mark.parametrize("n", [1, 2, 5, 17, 100])
def test_intervals_are_scipys(n):
    hits = np.arange(n + 1)
    low, high = wilson_interval(hits, n)
    expected = [binomtest(k, n).proportion_ci(method="wilson") for k in hits]
    np.testing.assert_allclose(low, [one.low for one in expected], atol=1e-12)
    np.testing.assert_allclose(high, [one.high for one in expected], atol=1e-12)


@settings(deadline=None)
@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_proportion(pair):
    hits, n = pair
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1


def test_without_trials_nothing_is_known():
    low, high = wilson_interval([0, 3], [0, 4])
    assert (low[0], high[0]) == (0, 1)
    assert 0 < low[1] < high[1] < 1


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_many_trials_are_scipys(pair):
    hits, n = pair
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson_interval(hits, n), expected, rtol=0, atol=1e-12)


def test_many_intervals_at_once_are_those_one_by_one():
    n, hits = np.triu_indices(12)[::-1]
    low, high = wilson_interval(hits, n)
    single = [wilson_interval(int(k), int(trials)) for k, trials in zip(hits, n, strict=True)]
    np.testing.assert_array_equal(low, [one.low for one in single])
    np.testing.assert_array_equal(high, [one.high for one in single])


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_misses_have_the_interval_of_hits_turned_round(pair):
    hits, n = pair
    low, high = wilson_interval(hits, n)
    turned = wilson_interval(n - hits, n)
    np.testing.assert_allclose([1 - turned.high, 1 - turned.low], [low, high], atol=1e-12)

"""Is one model better than another on the same images?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest

from errlens.analysis.intervals import Z95
from errlens.analysis.paired import paired_difference
from errlens.analysis.significance import mcnemar_exact

counts = st.integers(0, 200)


@given(counts, counts)
def test_the_test_is_that_of_a_fair_coin(broken, fixed):
    both = broken + fixed
    p_value = paired_difference(broken, fixed, 500).p_value
    assert p_value == pytest.approx(binomtest(broken, both, 0.5).pvalue if both else 1, rel=1e-9)
    # By hand: every split that is no more likely than this one.
    chances = binom.pmf(range(both + 1), both, 0.5)
    uneven = chances[chances <= chances[broken] * (1 + 1e-9)].sum()
    assert p_value == pytest.approx(uneven, rel=1e-9)


def test_many_are_tested_at_once():
    assert mcnemar_exact([0, 5, 3], [0, 0, 3]).tolist() == [1, 0.0625, 1]


@given(counts, counts, st.integers(0, 1000))
def test_old_and_new_exchanged_change_the_sign(broken, fixed, agreed):
    n = broken + fixed + agreed
    there, back = paired_difference(broken, fixed, n), paired_difference(fixed, broken, n)
    assert there.p_value == back.p_value
    if n:
        assert (there.difference, there.low, there.high) == (
            -back.difference,
            -back.high,
            -back.low,
        )
        assert -1 <= there.low <= there.difference <= there.high <= 1


def test_without_images_nothing_is_known():
    found = paired_difference(0, 0, 0)
    assert math.isnan(found.difference)
    assert (found.low, found.high, found.p_value) == (-1, 1, 1)


def test_models_that_agree_may_differ_all_the_same():
    found = paired_difference(0, 0, 50)
    assert (found.difference, found.p_value) == (0, 1)
    edge = Z95**2 / (50 + Z95**2)
    assert (found.low, found.high) == pytest.approx((-edge, edge))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 200))
def test_the_edges_are_those_of_a_score_test_fitted_by_search(broken, fixed, agreed):
    n = broken + fixed + agreed
    for edge in paired_difference(broken, fixed, n)[1:3]:

        def unlikely(share, edge=edge):
            """Return how unlikely the counts are if the difference is that of the edge."""
            cells = (share, share + edge, 1 - 2 * share - edge)
            return -sum(
                k * math.log(max(one, 1e-300))
                for k, one in zip((broken, fixed, agreed), cells, strict=True)
            )

        bounds = (max(0, -edge) + 1e-12, (1 - edge) / 2 - 1e-12)
        share = minimize_scalar(
            unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}
        ).x
        score = (fixed - broken - n * edge) / math.sqrt(n * (2 * share + edge * (1 - edge)))
        assert abs(score) == pytest.approx(Z95, abs=1e-3)


@pytest.mark.parametrize(
    ("broken", "fixed", "n"), [(0.02, 0.05, 100), (0.1, 0.1, 60), (0, 0.03, 80)]
)
def test_an_interval_holds_the_truth_in_95_of_100_cases(broken, fixed, n):
    rng = np.random.default_rng(0)
    found = rng.multinomial(n, [broken, fixed, 1 - broken - fixed], size=4000)
    kinds, times = np.unique(found[:, :2], axis=0, return_counts=True)
    held = [
        one.low <= fixed - broken <= one.high
        for one in (paired_difference(int(b), int(f), n) for b, f in kinds)
    ]
    assert 0.93 <= np.average(held, weights=times) <= 0.995

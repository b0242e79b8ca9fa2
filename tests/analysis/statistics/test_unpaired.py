"""Is one model better than another on other images?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binom, fisher_exact

from errlens.analysis.statistics.unpaired import unpaired_difference

samples = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(samples, samples)
def test_the_test_is_fishers_exact_one(old, new):
    table = [[hits, n - hits] for hits, n in (old, new)]
    assert unpaired_difference(*old, *new).p_value == pytest.approx(fisher_exact(table).pvalue)


def test_test_and_interval_never_contradict_one_another():
    """All tables of up to eight images a side, and edges at p = 0.05 exactly (0 of 12, 2 of 4)."""
    sizes = range(1, 9)
    tables = [
        (a, n, b, m) for n in sizes for m in sizes for a in range(n + 1) for b in range(m + 1)
    ]
    tables += [(2, 4, 0, 12), (0, 12, 2, 4), (0, 1, 19, 19)]
    found = unpaired_difference(*np.transpose(tables))
    without_zero = (found.low > 0) | (found.high < 0)
    assert (without_zero == (found.p_value < 0.05)).all()
    assert without_zero.any()


@settings(deadline=None)
@given(samples, samples)
def test_nor_do_they_in_larger_tables(old, new):
    found = unpaired_difference(*old, *new)
    assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)


@given(samples, samples)
def test_old_and_new_exchanged_change_the_sign(old, new):
    there, back = unpaired_difference(*old, *new), unpaired_difference(*new, *old)
    assert there.p_value == pytest.approx(back.p_value)
    assert there[:3] == pytest.approx((-back.difference, -back.high, -back.low))
    assert -1 - 1e-12 <= there.low <= there.difference <= there.high <= 1 + 1e-12


@settings(deadline=None, max_examples=30)
@given(samples, samples)
def test_the_lower_edge_is_where_the_score_test_stops_to_reject(old, new):
    """Written out with the restricted estimate found by a search, not as the root of a cubic."""
    (x, n), (y, m) = old, new
    found = unpaired_difference(x, n, y, m)

    def score(delta):
        def unlikelihood(share):
            return -(binom.logpmf(y, m, share) + binom.logpmf(x, n, share - delta))

        bounds = (max(delta, 0) + 1e-9, min(1 + delta, 1) - 1e-9)
        share = minimize_scalar(unlikelihood, bounds=bounds, options={"xatol": 1e-10}).x
        variance = share * (1 - share) / m + (share - delta) * (1 - share + delta) / n
        return (y / m - x / n - (1 / n + 1 / m) / 2 - delta) / np.sqrt(variance)

    if (score(0.0) > 1.96) != (found.p_value < 0.05) or found.low < -0.98:
        return  # where the exact test decides, or everything is possible
    highest = min(float(found.difference), 0.999)
    edge = brentq(lambda delta: score(delta) - 1.959963984540054, -0.999, highest)
    assert found.low == pytest.approx(edge, abs=1e-4)


def test_without_images_nothing_is_known():
    found = unpaired_difference([0, 1], [0, 2], [3, 0], [4, 0])
    assert np.isnan(found.difference).all()
    assert (found.low.tolist(), found.high.tolist()) == ([-1, -1], [1, 1])
    assert found.p_value.tolist() == [1, 1]


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 30), (60, 90)])
def test_an_interval_holds_the_truth_in_at_least_95_of_100_cases(n, m):
    """Over all outcomes, each with its probability."""
    old, new = (one.ravel() for one in np.meshgrid(range(n + 1), range(m + 1), indexing="ij"))
    found = unpaired_difference(old, n, new, m)
    for p in (0.05, 0.3, 0.5, 0.8, 0.97):
        for q in (0.02, 0.4, 0.7, 0.9):
            chance = binom.pmf(old, n, p) * binom.pmf(new, m, q)
            inside = (found.low <= q - p + 1e-12) & (q - p - 1e-12 <= found.high)
            assert chance[inside].sum() >= 0.95

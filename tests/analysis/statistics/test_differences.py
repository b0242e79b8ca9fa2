"""Is one model better than another, on the same images or on others?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binom, binomtest, fisher_exact

from errlens.analysis.statistics.differences import (
    chance_of_drop,
    difference_between_samples,
    difference_on_same_images,
    least_drop_shown,
    lower_bound_of_drop,
)

counts = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 400)).map(
    lambda drawn: (drawn[0], drawn[1], sum(drawn))
)
samples = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(counts)
def test_the_p_value_is_mcnemars_exact_one(drawn):
    broken, fixed, n = drawn
    p_value = float(difference_on_same_images(broken, fixed, n).p_value)
    if not broken + fixed:
        assert p_value == 1
        return
    assert p_value == pytest.approx(binomtest(broken, broken + fixed).pvalue)
    chances = binom.pmf(np.arange(broken + fixed + 1), broken + fixed, 0.5)
    by_hand = min(1, 2 * chances[: min(broken, fixed) + 1].sum())
    assert p_value == pytest.approx(by_hand)


@settings(deadline=None)
@given(counts)
def test_the_difference_lies_in_its_interval_and_turns_round_with_the_runs(drawn):
    broken, fixed, n = drawn
    found, other = (
        difference_on_same_images(broken, fixed, n),
        difference_on_same_images(fixed, broken, n),
    )
    assert (found.low, found.high) == (-other.high, -other.low)
    assert -1 <= found.low <= found.high <= 1
    if n:
        assert found.difference == (fixed - broken) / n == -other.difference
        assert found.low <= found.difference <= found.high
        assert float(lower_bound_of_drop(broken, fixed, n)) <= -found.difference


def test_without_images_nothing_is_known():
    found = difference_on_same_images(0, 0, 0)
    assert np.isnan(found.difference)
    assert (found.low, found.high, found.p_value) == (-1, 1, 1)


@settings(deadline=None)
@given(counts, st.integers(1, 20))
def test_more_broken_images_show_a_larger_drop(drawn, more):
    broken, fixed, n = drawn
    before, after = lower_bound_of_drop([broken, broken + more], fixed, n + more)
    assert after > before or before == -1


@settings(deadline=None)
@given(st.lists(counts, min_size=1, max_size=5))
def test_arrays_are_the_single_ones_side_by_side(drawn):
    together = difference_on_same_images(*np.transpose(drawn))
    for index, one in enumerate(drawn):
        for values, value in zip(together, difference_on_same_images(*one), strict=True):
            np.testing.assert_array_equal(values[index], value)


def test_test_and_interval_never_contradict_one_another():
    for n in (20, 60, 2000):
        broken, fixed = (one.ravel() for one in np.meshgrid(range(41), range(41)))
        known = broken + fixed <= n
        found = difference_on_same_images(broken[known], fixed[known], n)
        without_zero = (found.low > 0) | (found.high < 0)
        assert (without_zero == (found.p_value < 0.05)).all()
        shown = lower_bound_of_drop(broken[known], fixed[known], n) > 0
        assert (shown == (chance_of_drop(broken[known], fixed[known]) < 0.05)).all()


@settings(max_examples=25, deadline=None)
@given(counts, st.floats(0.001, 0.2))
def test_the_bound_is_the_root_of_tangos_equation(drawn, step):
    """Written out as in the paper, with the restricted estimate found by a search, not a root."""
    broken, fixed, n = drawn
    bound = float(lower_bound_of_drop(broken, fixed, n))
    if bound <= -1 + 2 * step:
        return

    def score(drop):
        both = np.linspace(max(0, -drop), (1 - drop) / 2, 20_001)[1:-1]
        likelihood = (
            broken * np.log(np.maximum(both + drop, 1e-300))
            + fixed * np.log(both)
            + (n - broken - fixed) * np.log(np.maximum(1 - 2 * both - drop, 1e-300))
        )
        share = both[np.argmax(likelihood)]
        deviation = np.sqrt(n * (2 * share + drop * (1 - drop)))
        return (broken - fixed - 1 - n * drop) / deviation

    if (score(0) > 1.6449) != (chance_of_drop(broken, fixed) < 0.05):
        return  # the exact test decides
    assert score(bound - step) > 1.6449 > score(bound + step)


def test_a_drop_beyond_zero_is_significant_by_the_exact_test():
    for changed in range(1, 300):
        broken = np.arange(changed + 1)
        bound = lower_bound_of_drop(broken, changed - broken, 2000)
        one_sided = binom.cdf(changed - broken, changed, 0.5)
        assert (one_sided[bound > 0] <= 0.05).all(), changed


@settings(deadline=None)
@given(st.integers(0, 80), st.integers(80, 500), st.floats(0, 0.05))
def test_the_least_drop_shown_is_where_the_gate_starts_to_fail(changed, n, allowed):
    least = least_drop_shown(changed, n, allowed=allowed)
    broken = np.arange(changed + 1)
    drops = (2 * broken - changed) / n
    fails = drops[lower_bound_of_drop(broken, changed - broken, n) > allowed]
    assert least == (fails.min() if len(fails) else None)


@pytest.mark.parametrize("n", [50, 200, 2000])
@pytest.mark.parametrize("changed", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("drop", [0.0, 0.005, 0.02])
def test_the_bound_exceeds_the_true_drop_in_at_most_one_of_twenty(n, changed, drop):
    rng = np.random.default_rng(int(1000 * (n + changed + drop)))
    shares = [(changed + drop) / 2, (changed - drop) / 2, 1 - changed]
    broken, fixed, _ = rng.multinomial(n, shares, size=5_000).T
    level = np.mean(lower_bound_of_drop(broken, fixed, n) > drop + 1e-12)
    assert level <= 0.055  # of 5,000; the seed is fixed
    found = difference_on_same_images(broken, fixed, n)
    assert np.mean((found.low <= -drop) & (-drop <= found.high)) >= 0.945


def simulated(drop, *, pairs, n=2000, changed=0.1, seed=0):
    """Return broken and fixed images of pairs of runs with this true drop."""
    rng = np.random.default_rng(seed)
    shares = [(changed + drop) / 2, (changed - drop) / 2, 1 - changed]
    return rng.multinomial(n, shares, size=pairs).T[:2]


def test_a_gate_at_half_a_point_is_right_about_no_change_and_about_three_points():
    same = lower_bound_of_drop(*simulated(0.0, pairs=20_000), 2000) > 0.005
    worse = lower_bound_of_drop(*simulated(0.03, pairs=20_000), 2000) > 0.005
    assert same.mean() <= 0.05
    assert worse.mean() >= 0.9


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_a_gate_at_no_drop_holds_its_level(seed):
    same = lower_bound_of_drop(*simulated(0.0, pairs=20_000, seed=seed), 2000) > 0
    assert same.mean() <= 0.05


@settings(deadline=None)
@given(samples, samples)
def test_the_test_of_samples_is_fishers_exact_one(old, new):
    table = [[hits, n - hits] for hits, n in (old, new)]
    assert difference_between_samples(*old, *new).p_value == pytest.approx(
        fisher_exact(table).pvalue
    )


def test_test_and_interval_of_samples_never_contradict_one_another():
    """All tables of up to eight images a side, and edges at p = 0.05 exactly (0 of 12, 2 of 4)."""
    sizes = range(1, 9)
    tables = [
        (a, n, b, m) for n in sizes for m in sizes for a in range(n + 1) for b in range(m + 1)
    ]
    tables += [(2, 4, 0, 12), (0, 12, 2, 4), (0, 1, 19, 19)]
    found = difference_between_samples(*np.transpose(tables))
    without_zero = (found.low > 0) | (found.high < 0)
    assert (without_zero == (found.p_value < 0.05)).all()
    assert without_zero.any()


@settings(deadline=None)
@given(samples, samples)
def test_nor_do_they_in_larger_tables(old, new):
    found = difference_between_samples(*old, *new)
    assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)


@given(samples, samples)
def test_old_and_new_samples_exchanged_change_the_sign(old, new):
    there, back = difference_between_samples(*old, *new), difference_between_samples(*new, *old)
    assert there.p_value == pytest.approx(back.p_value)
    assert there[:3] == pytest.approx((-back.difference, -back.high, -back.low))
    assert -1 - 1e-12 <= there.low <= there.difference <= there.high <= 1 + 1e-12


@settings(deadline=None, max_examples=30)
@given(samples, samples)
def test_the_lower_edge_is_where_the_score_test_stops_to_reject(old, new):
    """Written out with the restricted estimate found by a search, not as the root of a cubic."""
    (x, n), (y, m) = old, new
    found = difference_between_samples(x, n, y, m)

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


def test_without_images_nothing_of_samples_is_known():
    found = difference_between_samples([0, 1], [0, 2], [3, 0], [4, 0])
    assert np.isnan(found.difference).all()
    assert (found.low.tolist(), found.high.tolist()) == ([-1, -1], [1, 1])
    assert found.p_value.tolist() == [1, 1]


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 30), (60, 90)])
def test_an_interval_of_samples_holds_the_truth_in_at_least_95_of_100_cases(n, m):
    """Over all outcomes, each with its probability."""
    old, new = (one.ravel() for one in np.meshgrid(range(n + 1), range(m + 1), indexing="ij"))
    found = difference_between_samples(old, n, new, m)
    for p in (0.05, 0.3, 0.5, 0.8, 0.97):
        for q in (0.02, 0.4, 0.7, 0.9):
            chance = binom.pmf(old, n, p) * binom.pmf(new, m, q)
            inside = (found.low <= q - p + 1e-12) & (q - p - 1e-12 <= found.high)
            assert chance[inside].sum() >= 0.95

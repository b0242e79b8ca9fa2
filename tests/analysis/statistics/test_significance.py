from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, false_discovery_control, hypergeom

from errlens.analysis.statistics.significance import benjamini_hochberg, beta_binomial_tail


def exact_tail(least: int, n: int, alpha: int, beta: int) -> Fraction:
    """P(X >= least) by counting, for whole numbers: a Polya urn drawn from n times."""
    ways = (
        comb(x + alpha - 1, x) * comb(n - x + beta - 1, n - x) for x in range(max(least, 0), n + 1)
    )
    return Fraction(sum(ways), comb(n + alpha + beta - 1, n))


cells = st.integers(0, 60).flatmap(
    lambda n: st.tuples(
        st.integers(0, n), st.just(n), st.integers(1, 80), st.integers(1, 3000) | st.integers(1, 5)
    )
)


@settings(deadline=None, max_examples=200)
@given(cells)
def test_tails_are_exact_however_small_they_are(cell):
    assert float(beta_binomial_tail(*cell)) == pytest.approx(float(exact_tail(*cell)), rel=1e-9)


@pytest.mark.parametrize(
    "cell", [(200, 200, 1, 3000), (60, 90, 2, 10**6), (500, 500, 40, 400), (700, 900, 3, 190)]
)
def test_the_smallest_tails_keep_their_digits(cell):
    expected = float(exact_tail(*cell))
    assert 0 < expected < 1e-30
    assert float(beta_binomial_tail(*cell)) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(cells)
def test_for_whole_numbers_the_tail_is_a_hypergeometric_one(cell):
    # Of n successes and alpha + beta - 1 failures in a row, at least `least` successes come before
    # failure number alpha: the first least + alpha - 1 places hold that many successes.
    least, n, alpha, beta = cell
    expected = hypergeom(n + alpha + beta - 1, n, least + alpha - 1).sf(least - 1)
    assert float(beta_binomial_tail(*cell)) == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 30), st.integers(0, 30), st.floats(1, 50), st.floats(1, 500))
def test_tails_are_scipys_for_any_parameters(least, more, alpha, beta):
    n = least + more
    expected = betabinom(n, alpha, beta).pmf(np.arange(least, n + 1)).sum()
    assert float(beta_binomial_tail(least, n, alpha, beta)) == pytest.approx(expected, rel=1e-8)


def test_many_tails_at_once_are_those_one_by_one():
    random = np.random.default_rng(0)
    n = random.integers(1, 400, (300, 5))
    least = random.integers(0, n + 1)
    alpha, beta = random.integers(1, 100, (2, *n.shape))
    alone = [
        float(beta_binomial_tail(*cell))
        for cell in zip(least.flat, n.flat, alpha.flat, beta.flat, strict=True)
    ]
    together = beta_binomial_tail(least, n, alpha, beta)
    np.testing.assert_allclose(together, np.reshape(alone, n.shape), rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 100), st.floats(1, 100), st.floats(1, 3000))
def test_more_is_never_more_likely_and_nothing_is_certain(n, alpha, beta):
    tail = beta_binomial_tail(np.arange(n + 1), n, alpha, beta)
    assert tail[0] == 1
    assert tail[-1] > 0
    assert (np.diff(tail) <= 1e-12 * tail[:-1]).all()


@pytest.mark.parametrize("n", [1, 7, 1000, 10**6])
def test_with_alpha_and_beta_one_all_counts_are_alike(n):
    least = np.linspace(0, n, 8).astype(int)
    np.testing.assert_allclose(
        beta_binomial_tail(least, n, 1, 1), (n + 1 - least) / (n + 1), rtol=1e-8
    )


def test_no_cells_have_no_tails():
    nothing = np.zeros((0, 4))
    assert beta_binomial_tail(nothing, nothing, nothing, nothing).shape == (0, 4)
    assert benjamini_hochberg(np.zeros(0), tests=5).shape == (0,)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 1.0]), min_size=1, max_size=40),
    st.integers(0, 200),
)
def test_false_discovery_rates_are_scipys_with_the_tests_left_out_put_in(p_value, more):
    expected = false_discovery_control(np.r_[p_value, np.ones(more)])[: len(p_value)]
    found = benjamini_hochberg(np.array(p_value), tests=len(p_value) + more)
    np.testing.assert_allclose(found, expected, rtol=1e-12)

"""Is one model better than another on other images?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from errlens.analysis.unpaired import unpaired_difference

samples = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(samples, samples)
def test_the_test_is_that_of_a_table(old, new):
    table = [[hits, n - hits] for hits, n in (old, new)]
    p_value = float(unpaired_difference(*old, *new).p_value)
    if 0 in np.sum(table, axis=0):
        assert p_value == 1
    else:
        assert p_value == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=1e-9)


@given(samples, samples)
def test_old_and_new_exchanged_change_the_sign(old, new):
    there, back = unpaired_difference(*old, *new), unpaired_difference(*new, *old)
    assert there.p_value == back.p_value
    assert there[:3] == pytest.approx((-back.difference, -back.high, -back.low))
    assert -1 - 1e-12 <= there.low <= there.difference <= there.high <= 1 + 1e-12


def test_intervals_are_those_of_the_paper():
    # Newcombe (1998), table II, method 10: 56 of 70 and 48 of 80, 9 of 10 and 3 of 10, 10 and 0.
    found = unpaired_difference([48, 3, 0], [80, 10, 10], [56, 9, 10], [70, 10, 10])
    assert found.low.round(4).tolist() == [0.0524, 0.1705, 0.6075]
    assert found.high.round(4).tolist() == [0.3339, 0.8090, 1.0]


def test_without_images_nothing_is_known():
    found = unpaired_difference([0, 1], [0, 2], [3, 0], [4, 0])
    assert np.isnan(found.difference).all()
    assert (found.low.tolist(), found.high.tolist()) == ([-1, -1], [1, 1])
    assert found.p_value.tolist() == [1, 1]


def test_an_interval_holds_the_truth_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    old, new = rng.binomial(60, 0.9, 4000), rng.binomial(90, 0.8, 4000)
    found = unpaired_difference(old, 60, new, 90)
    assert 0.935 <= ((found.low <= -0.1) & (found.high >= -0.1)).mean() <= 0.97

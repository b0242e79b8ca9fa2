"""Excess errors within strata, held against the hypergeometric distribution and against chance."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from errlens.analysis.statistics.strata import excess_errors


def test_moments_are_those_of_the_hypergeometric_distribution_of_each_stratum():
    rng = np.random.default_rng(0)
    strata, wrong, chosen = rng.integers(0, 4, 200), rng.random(200) < 0.3, rng.random(200) < 0.2
    found = excess_errors(chosen, wrong, strata)
    expected = variance = 0.0
    for stratum in range(4):
        inside = strata == stratum
        chance = hypergeom(inside.sum(), wrong[inside].sum(), chosen[inside].sum())
        expected, variance = expected + chance.mean(), variance + chance.var()
    assert found.expected[0] == pytest.approx(expected)
    assert found.variance[0] == pytest.approx(variance)
    assert found.observed[0] == (chosen & wrong).sum()


def test_false_alarms_are_as_rare_as_said():
    rng = np.random.default_rng(1)
    strata = rng.integers(0, 10, 1000)
    wrong = rng.random(1000) < 0.05 * (1 + strata)
    chosen = rng.random((4000, 1000)) < 0.1
    p_value = excess_errors(chosen, wrong, strata).p_value
    assert (p_value <= 0.01).mean() <= 0.015


def test_a_class_that_is_hard_by_nature_is_no_excess():
    strata = np.repeat([0, 1], 500)
    wrong = np.concatenate([np.arange(500) % 10 == 0, np.arange(500) % 2 == 0])
    found = excess_errors(strata == 1, wrong, strata)
    assert found.p_value[0] == 1
    assert found.observed[0] == found.expected[0]


def test_nothing_chosen_and_everything_chosen_differ_from_nothing():
    wrong, strata = np.arange(20) % 3 == 0, np.zeros(20, int)
    found = excess_errors(np.array([np.zeros(20, bool), np.ones(20, bool)]), wrong, strata)
    assert found.p_value.tolist() == [1, 1]


def test_one_image_a_stratum_says_nothing():
    found = excess_errors(np.ones(3, bool), np.ones(3, bool), np.arange(3))
    assert found.p_value.tolist() == [1]

"""Excess errors within strata, held against the hypergeometric distribution and against chance."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from errlens.analysis.statistics.strata import corrected_tail, excess_errors, explained_errors


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


def test_the_tail_of_few_errors_is_that_of_the_hypergeometric_distribution():
    for size, errors, inside in ((1000, 100, 50), (1000, 100, 300), (5000, 50, 250)):
        chance = hypergeom(size, errors, inside)
        observed = np.arange(chance.mean() + 2, chance.mean() + 4.5 * chance.std()).round()
        tail = corrected_tail(observed, np.array(chance.mean()), np.array(chance.var()))
        np.testing.assert_array_less(0.7 * chance.sf(observed - 1), tail)
        np.testing.assert_array_less(tail, 1.6 * chance.sf(observed - 1))


def test_errors_explained_are_those_that_end_if_a_choice_is_as_the_others():
    strata, chosen = np.repeat([0, 1], 100), np.tile(np.arange(100) < 50, 2)
    wrong = np.concatenate([np.arange(100) < 30, np.arange(100) % 10 == 0])
    found = explained_errors(chosen, wrong, strata)
    assert (found.observed, found.errors) == (35, pytest.approx(30))


def test_a_choice_of_whole_strata_explains_nothing():
    strata, wrong = np.repeat([0, 1], 50), np.arange(100) % 3 == 0
    assert explained_errors(strata == 0, wrong, strata).errors == 0
    assert explained_errors(strata == 2, wrong, strata).observed == 0

"""Ridge regression against scikit-learn's, and its R-squared against leaving samples out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from errlens.attribution.perturbations.linear_fit import ridge


def drawn(seed, n, features, t=2):
    random = np.random.default_rng(seed)
    on = random.integers(0, 2, (n, features)).astype(float)
    return on, random.normal(0, 1, (n, t)), random.uniform(0.1, 1, n)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.integers(2, 30), st.integers(1, 20), st.floats(0.01, 9))
def test_it_is_that_of_scikit_learn(seed, n, features, penalty):
    on, scores, weights = drawn(seed, n, features)
    theirs = Ridge(alpha=penalty).fit(on, scores, sample_weight=weights)
    found = ridge(on, scores, weights, penalty=penalty).coefficients
    np.testing.assert_allclose(found, theirs.coef_.T, atol=1e-8)


@pytest.mark.parametrize(("n", "features"), [(12, 5), (8, 20)])
def test_r_squared_is_of_samples_that_were_left_out(n, features):
    on, scores, weights = drawn(3, n, features)
    scores += on[:, :1] * 3
    squares = np.zeros(2)
    for out in range(n):
        kept = np.arange(n) != out
        fit = Ridge(alpha=1.0).fit(on[kept], scores[kept], sample_weight=weights[kept])
        squares += weights[out] * (scores[out] - fit.predict(on[out : out + 1])[0]) ** 2
    mean = np.average(scores, axis=0, weights=weights)
    known = 1 - squares / (weights @ (scores - mean) ** 2)
    np.testing.assert_allclose(ridge(on, scores, weights, penalty=1.0).r_squared, known, atol=1e-8)


def test_noise_is_not_foretold_however_many_coefficients_fit_it():
    on, scores, weights = drawn(0, 40, 60, t=20)
    assert ridge(on, scores, weights, penalty=1e-6).r_squared.max() < 0.5


@pytest.mark.parametrize("n", [1, 2])
def test_what_does_not_vary_has_no_r_squared(n):
    fit = ridge(np.ones((n, 3)), np.full((n, 1), 2.5), np.ones(n), penalty=1.0)
    assert not fit.coefficients.any()
    assert np.isnan(fit.r_squared).all()

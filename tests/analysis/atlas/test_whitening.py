import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.atlas.whitening import second_moments, whitened


def activations(n=5000, channels=6, seed=0):
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(n, channels)) @ random.normal(size=(channels, channels))
    return np.maximum(mixed, 0).astype(np.float32)


def test_second_moments_are_those_of_one_product():
    values = activations()
    wide = values.astype(np.float64)
    assert second_moments(values) == pytest.approx(wide.T @ wide / len(values), rel=1e-12)


@given(st.integers(0, 100), st.sampled_from([1e-6, 0.01, 1.0, 100.0]))
def test_directions_are_those_of_the_inverse(seed, ridge):
    values = activations(200, seed=seed)
    means = values[:5]
    moments = values.astype(np.float64).T @ values / len(values)
    inverse = np.linalg.inv(moments + ridge * np.diag(moments).mean() * np.eye(6))
    wanted = means @ inverse.T
    lengths = np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted = np.divide(wanted, lengths, out=np.zeros_like(wanted), where=lengths > 0)
    assert whitened(means, moments, ridge=ridge) == pytest.approx(wanted, abs=1e-5)


def test_almost_no_ridge_whitens_fully():
    # Directions d of whitened means have d' M d = m' M^-1 m, so M^1/2 maps m to where d leads back.
    values = activations().astype(np.float64)
    moments = second_moments(values)
    directions = whitened(values[:20], moments, ridge=1e-12).astype(np.float64)
    back = directions @ moments
    cosines = (back * values[:20]).sum(1) / np.linalg.norm(back, axis=1)
    assert cosines == pytest.approx(np.linalg.norm(values[:20], axis=1), rel=1e-4)


def test_a_large_ridge_leaves_directions_as_they_are():
    values = activations()
    directions = whitened(values[:3], second_moments(values), ridge=1e9)
    plain = values[:3] / np.linalg.norm(values[:3], axis=1, keepdims=True)
    assert directions == pytest.approx(plain, abs=1e-6)


def test_dead_channels_and_cells_without_activation_are_no_trouble():
    values = activations()
    values[:, [1, 4]] = 0
    assert np.linalg.matrix_rank(second_moments(values)) == 4
    means = np.vstack([values[:3], np.zeros(6)]).astype(np.float32)
    directions = whitened(means, second_moments(values), ridge=0.01)
    assert np.isfinite(directions).all()
    assert not directions[:, [1, 4]].any()
    assert np.linalg.norm(directions, axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-6)
    all_dead = np.zeros((9, 6), np.float32)
    assert not whitened(all_dead[:2], second_moments(all_dead), ridge=0.01).any()

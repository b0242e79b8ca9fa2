"""How alike two representations are, against the formula with kernels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.evolution.likeness import linear_cka


def by_kernels(first, second):
    """The alignment as Song et al. write it, with whole kernels."""

    def criterion(k, n):
        a, b = (each - np.diag(np.diag(each)) for each in k)
        sums = a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (a @ b).sum()
        return (np.trace(a @ b) + sums) / (n * (n - 3))

    k, n = [each @ each.T for each in (first, second)], len(first)
    own = [criterion((each, each), n) for each in k]
    return criterion(k, n) / np.sqrt(own[0] * own[1])


def representation(seed, n=20, channels=6):
    return np.random.default_rng(seed).normal(size=(n, channels))


@given(st.integers(0, 10_000), st.integers(4, 30), st.integers(1, 40), st.integers(1, 40))
def test_it_is_what_whole_kernels_give(seed, n, channels, others):
    first = representation(seed, n, channels) + 3
    second = representation(seed + 1, n, others) + first[:, :1]
    assert linear_cka(first, second) == pytest.approx(by_kernels(first, second), abs=1e-7)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_turning_scaling_and_shifting_change_nothing(seed, scale, shift):
    seen = representation(seed)
    turn, _ = np.linalg.qr(representation(seed + 1, 6, 6))
    other = representation(seed + 2) + seen
    assert linear_cka(seen, seen) == pytest.approx(1)
    assert linear_cka(seen, scale * seen @ turn + shift) == pytest.approx(1, abs=1e-6)
    assert linear_cka(other, scale * seen @ turn + shift) == pytest.approx(
        linear_cka(other, seen), abs=1e-6
    )


def test_many_channels_that_share_nothing_are_not_alike():
    first, second = representation(0, 50, 2000), representation(1, 50, 2000)
    assert abs(linear_cka(first, second)) < 0.1  # the plain estimate says 0.97


@pytest.mark.parametrize("seen", [np.ones((9, 3)), np.zeros((9, 3)), representation(0, 3)])
def test_where_there_is_nothing_to_compare_it_is_no_number(seen):
    assert np.isnan(linear_cka(seen, representation(1, len(seen))))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.network.filters.likeness import ALIKE, LEAST_WEIGHTS, find_alike


def random_filters(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@given(st.permutations(range(6)), st.floats(1e-20, 1e20))
def test_planted_copies_are_found_whatever_their_strength(order, factor):
    different = random_filters(3, 2, 3, 3)
    order = np.array(order)
    filters = np.concatenate([different, factor * different])[order]
    found = find_alike(filters)
    for at, of in enumerate(found.duplicate_of):
        twins = np.flatnonzero(order % 3 == order[at] % 3)
        assert of == (twins[0] if at == twins[1] else -1)
    assert (found.negative_of == -1).all()


def test_a_copy_with_little_noise_and_an_opposite_are_told_apart():
    filters = random_filters(5, 4, 3, 3)
    filters[2] = filters[0] + 0.05 * random_filters(4, 3, 3, seed=1)
    filters[4] = -3 * filters[1]
    found = find_alike(filters)
    assert found.duplicate_of.tolist() == [-1, -1, 0, -1, -1]
    assert found.negative_of.tolist() == [-1, -1, -1, -1, 1]


def test_only_filters_of_one_group_are_alike():
    one = random_filters(1, 2, 3, 3)
    filters = np.concatenate([one, one, one, one])
    assert find_alike(filters, groups=2).duplicate_of.tolist() == [-1, 0, -1, 2]
    assert find_alike(filters, groups=4).duplicate_of.tolist() == [-1, -1, -1, -1]


def test_zero_filters_and_those_that_are_no_numbers_are_like_no_other():
    filters = np.concatenate([np.zeros((2, 1, 3, 3)), np.full((2, 1, 3, 3), np.nan)])
    assert (find_alike(filters).duplicate_of == -1).all()
    assert find_alike(random_filters(1, 1, 3, 3)).duplicate_of.tolist() == [-1]


def test_so_many_filters_are_compared_as_if_all_were_at_once():
    filters = random_filters(1100, 1, 3, 3)
    filters[1050:] = filters[:50]
    filters[600] = -filters[5]
    flat = filters.reshape(len(filters), -1)
    cosines = np.tril(np.corrcoef(np.concatenate([flat, -flat], axis=1))[:1100], -1)
    found = find_alike(filters)
    assert found.duplicate_of[1050:].tolist() == [*range(50)]
    assert (found.duplicate_of >= 0).tolist() == (cosines >= ALIKE).any(axis=1).tolist()
    assert found.negative_of[600] == 5


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 2, 2), (7, 1, 1)])
def test_filters_of_few_weights_are_not_compared(shape):
    assert np.prod(shape) < LEAST_WEIGHTS
    assert find_alike(random_filters(4, *shape)) is None

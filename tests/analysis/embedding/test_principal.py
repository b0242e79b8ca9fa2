import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from errlens.analysis.embedding.principal import principal_components


@pytest.mark.parametrize("shape", [(60, 8), (8, 60), (40, 40)])
def test_components_are_those_of_scikit_learn_up_to_the_sign(shape):
    values = np.random.default_rng(1).normal(size=shape) * np.arange(1, shape[1] + 1)
    theirs = PCA(3, svd_solver="full").fit(values)
    ours = principal_components(values, most=3)
    np.testing.assert_allclose(
        np.abs(ours.coordinates), np.abs(theirs.transform(values)), atol=1e-7
    )
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-10)


@given(st.integers(2, 30), st.integers(1, 30), st.integers(0, 9))
def test_the_order_of_rows_and_their_number_per_block_change_nothing(n, width, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, width))
    order = rng.permutation(n)
    straight = principal_components(values, most=1).coordinates
    mixed = principal_components(values[order], most=1).coordinates
    if n != 2 and width > 1:  # of two points, and of one axis, every sign is as good
        np.testing.assert_allclose(np.abs(mixed), np.abs(straight[order]), atol=1e-6)


def test_where_vectors_differ_in_one_direction_the_second_coordinate_is_zero():
    values = np.outer(np.arange(5.0), np.ones(3))
    found = principal_components(values, most=2)
    assert found.shares.tolist() == pytest.approx([1.0, 0.0])
    assert (found.coordinates[:, 1] == 0).all()

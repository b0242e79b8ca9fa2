import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from errlens.analysis.atlas.compared import (
    pair_cells,
    place_down,
    scaled_difference,
    shared_part,
    strongest_cells,
)
from errlens.analysis.embedding.tsne import is_installed

VALUES = hnp.arrays(
    np.float32, st.tuples(st.integers(2, 20), st.just(3)), elements=st.floats(-3, 3, width=16)
)


@given(VALUES)
def test_exchanging_the_classes_mirrors_across_and_leaves_down(attributions):
    across, back = (scaled_difference(attributions, pair) for pair in ((0, 2), (2, 0)))
    assert (across == -back).all()
    assert (np.abs(across) <= 1).all()
    activations = attributions + 3
    one, other = (shared_part(activations, each) for each in (across, back))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_what_is_shared_goes_with_the_difference_no_more():
    rng = np.random.default_rng(0)
    across = rng.uniform(-1, 1, 200)
    activations = rng.uniform(size=(200, 6)) + np.outer(across, np.arange(6.0))
    shared = shared_part(activations, across)
    assert np.abs((across - across.mean()) @ shared).max() < 1e-9


@pytest.mark.parametrize(
    "method",
    [
        "pca",
        pytest.param(
            "tsne", marks=pytest.mark.skipif(not is_installed(), reason="openTSNE is not there")
        ),
    ],
)
def test_groups_are_next_to_their_like(method):
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1], 40)
    shared = 3 * np.eye(2, 8)[of] + 0.2 * rng.normal(size=(80, 8))
    down = place_down(shared - shared.mean(axis=0), method=method)
    assert down.shape == (80,)
    low, high = sorted((down[of == 0], down[of == 1]), key=np.mean)
    assert low.max() < high.min()
    np.testing.assert_array_equal(down, place_down(shared - shared.mean(axis=0), method=method))


def test_points_that_share_all_lie_in_one_place():
    assert place_down(np.zeros((20, 4)), method="tsne").tolist() == [0.0] * 20


def test_errors_of_the_pair_count_once_a_cell():
    points = pd.DataFrame(
        {
            "row": [0, 0, 1, 2, 3, 4],
            "label": [0, 0, 1, 0, 2, -1],
            "pred": [1, 1, 0, 0, 1, 1],
        }
    )
    means = np.array([[0.5, 0.1, 0.0], [0.2, 0.4, 0.0]], np.float32)
    found = pair_cells(means, (0, 1), np.array([0, 0, 0, 0, 1, -1]), points)
    assert found.n_errors.tolist() == [2, 0]
    np.testing.assert_allclose(found.difference, [0.4, -0.2], rtol=1e-6)
    assert strongest_cells(found) == {"a": [0], "b": [1], "both": [1, 0]}

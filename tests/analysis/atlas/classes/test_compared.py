import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from errlens.analysis.atlas.classes.compared import (
    pair_cells,
    pair_layout,
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
def test_groups_are_level_with_their_like_and_sides_are_mirrored(method):
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1], 40)
    activations = 3 * np.eye(2, 8)[of] + 0.2 * rng.uniform(size=(80, 8))
    attributions = rng.uniform(size=(80, 2))
    layout = pair_layout(activations, attributions, (0, 1), method=method)
    assert layout.method == method
    low, high = sorted((layout.places[of == kind, 1] for kind in (0, 1)), key=np.mean)
    assert low.max() < high.min()
    np.testing.assert_array_equal(
        layout.places, pair_layout(activations, attributions, (0, 1), method=method).places
    )
    back = pair_layout(activations, attributions, (1, 0), method=method).places
    np.testing.assert_allclose(back, np.abs([1, 0] - layout.places), atol=1e-9)
    # The middle speaks for both alike.
    assert ((layout.places[:, 0] > 0.5) == (attributions[:, 0] > attributions[:, 1])).all()


def test_points_that_share_all_lie_on_one_line():
    attributions = np.random.default_rng(0).uniform(size=(20, 2))
    layout = pair_layout(np.ones((20, 4), np.float32), attributions, (0, 1))
    assert (layout.places[:, 1] == 0.5).all()
    assert any("the map is one line" in remark for remark in layout.remarks)


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

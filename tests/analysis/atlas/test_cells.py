import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from errlens.analysis.atlas import streams
from errlens.analysis.atlas.cells import CELL_COLUMNS, cell_means, cell_table
from errlens.analysis.atlas.grid import binned
from errlens.analysis.atlas.nearest import nearest_points

CLASSES = ("cat", "dog", "emu")


def drawn(seed, *, n=80, channels=5, of_all=120, grid=3, least=2):
    """Return points, some of all, with places, images and cells."""
    random = np.random.default_rng(seed)
    activations = random.normal(size=(of_all, channels)).astype(np.float32)
    attributions = random.normal(size=(of_all, len(CLASSES))).astype(np.float32)
    points = np.sort(random.choice(of_all, n, replace=False))
    rows = random.integers(0, n // 3, n)
    found = binned(random.random((n, 2)), grid=grid, min_density=least)
    return activations, attributions, points, rows, found


@given(st.integers(0, 1000))
def test_means_are_those_of_groupby(seed):
    activations, attributions, points, _, found = drawn(seed)
    means = cell_means(activations, attributions, points, found)
    for ours, values in ((means.activation, activations), (means.attribution, attributions)):
        frame = pd.DataFrame(values[points].astype(np.float64)).assign(cell=found.cell)
        theirs = frame[frame["cell"] >= 0].groupby("cell").mean()
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_the_table_counts_points_and_images_and_names_the_first_two_classes():
    activations, attributions, points, rows, found = drawn(3)
    means = cell_means(activations, attributions, points, found)
    table = cell_table(found, means, rows, CLASSES)
    assert list(table) == list(CELL_COLUMNS)
    for cell, facts in table.iterrows():
        members = found.cell == cell
        assert facts["n_points"] == members.sum()
        assert facts["n_images"] == len(set(rows[members]))
        assert (facts["cell_row"], facts["cell_column"]) == tuple(found.cells[cell])
        first, second = np.argsort(-means.attribution[cell])[:2]
        assert (facts["top_class"], facts["second_class"]) == (CLASSES[first], CLASSES[second])
        assert facts["top_attribution"] == means.attribution[cell, first]
        assert facts["second_attribution"] == means.attribution[cell, second]


def test_of_one_class_there_is_no_second():
    activations, attributions, points, rows, found = drawn(3)
    means = cell_means(activations, attributions[:, :1], points, found)
    table = cell_table(found, means, rows, CLASSES[:1])
    assert set(table["top_class"]) == {"cat"}
    assert table[["second_class", "second_attribution"]].isna().all(axis=None)


@given(st.integers(0, 1000), st.integers(1, 9))
def test_the_nearest_points_are_those_of_all_compared_an_image_once(seed, most):
    activations, attributions, points, rows, found = drawn(seed)
    means = cell_means(activations, attributions, points, found).activation
    table = nearest_points(activations, points, rows, found, means, most=most)
    similar = cosine_similarity(activations[points].astype(np.float64), means.astype(np.float64))
    for cell in range(len(found.cells)):
        members = np.flatnonzero(found.cell == cell)
        by_image = {}
        for member in sorted(members, key=lambda at, cell=cell: -similar[at, cell]):
            by_image.setdefault(rows[member], member)
        expected = list(by_image.values())[:most]
        ours = table[table["cell"] == cell]
        assert ours["point"].tolist() == points[expected].tolist()
        assert ours["row"].tolist() == rows[expected].tolist()
        assert ours["rank"].tolist() == list(range(1, len(expected) + 1))
        np.testing.assert_allclose(ours["similarity"], similar[expected, cell], atol=1e-6)


def test_points_read_a_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch):
    activations, attributions, points, rows, found = drawn(1)

    def all_numbers():
        means = cell_means(activations, attributions, points, found)
        return means, nearest_points(activations, points, rows, found, means.activation)

    (whole, sources), _ = all_numbers(), monkeypatch.setattr(streams, "_AT_ONCE", 16)
    few, of_few = all_numbers()
    np.testing.assert_allclose(few.activation, whole.activation, rtol=1e-6)
    np.testing.assert_allclose(few.attribution, whole.attribution, rtol=1e-6)
    pd.testing.assert_frame_equal(of_few, sources)


def test_dead_channels_and_points_without_any_activation_have_numbers():
    activations, attributions, points, rows, found = drawn(5)
    activations[:, 2] = 0
    activations[points[found.cell == 0]] = 0  # a whole cell
    means = cell_means(activations, attributions, points, found)
    table = nearest_points(activations, points, rows, found, means.activation)
    assert np.isfinite(means.activation).all()
    assert (means.activation[:, 2] == 0).all()
    assert (table[table["cell"] == 0]["similarity"] == 0).all()
    # Equally near ones come in the order of the points.
    assert table[table["cell"] == 0]["point"].is_monotonic_increasing

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from errlens.analysis.embedding import distances
from errlens.analysis.embedding.distances import nearest_points
from errlens.analysis.embedding.trust import trust


@pytest.mark.parametrize("n", [4, 5, 21, 120])
def test_trustworthiness_is_that_of_scikit_learn(n):
    rng = np.random.default_rng(n)
    values, drawn = rng.normal(size=(n, 6)), rng.normal(size=(n, 2))
    drawn[: n // 2] = values[: n // 2, :2]
    found = trust(values, drawn, seed=0)
    theirs = trustworthiness(values, drawn, n_neighbors=found.k)
    assert found.trustworthiness == pytest.approx(theirs, abs=1e-12)


def test_the_share_kept_is_counted_neighbour_by_neighbour():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(50, 5))
    drawn = values[:, :2]
    found = trust(values, drawn, seed=0)
    near = [
        NearestNeighbors(n_neighbors=found.k).fit(points).kneighbors(return_distance=False)
        for points in (values, drawn)
    ]
    kept = np.mean([len({*one} & {*other}) / found.k for one, other in zip(*near, strict=True)])
    assert found.kept == pytest.approx(kept)
    assert found.by_chance == pytest.approx(10 / 49)


def test_a_map_that_keeps_all_distances_is_trusted_fully():
    values = np.random.default_rng(0).normal(size=(40, 2))
    found = trust(values, 3 * values, seed=0)
    assert (found.trustworthiness, found.kept) == (1.0, 1.0)


def test_of_many_points_some_are_taken_by_the_seed():
    rng = np.random.default_rng(5)
    values, drawn = rng.normal(size=(90, 4)), rng.normal(size=(90, 2))
    one, same, other = (trust(values, drawn, seed=seed, most=30) for seed in (1, 1, 2))
    assert one == same != other
    assert one.n == 30


def test_of_three_points_nothing_is_said():
    assert np.isnan(trust(np.eye(3), np.eye(3)[:, :2], seed=0).kept)


def test_nearest_points_are_exact_in_blocks_with_ties_by_place(monkeypatch):
    points = np.random.default_rng(2).integers(0, 4, (60, 3)).astype(float)
    whole = nearest_points(points, most=7)
    monkeypatch.setattr(distances, "_LARGEST_BLOCK", 100)
    np.testing.assert_array_equal(nearest_points(points, most=7).places, whole.places)
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    np.testing.assert_array_equal(whole.places, np.argsort(squared, axis=1, kind="stable")[:, :7])

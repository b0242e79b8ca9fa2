"""Votes of neighbours agree with scikit-learn's, with each image left out of its own."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from errlens.analysis.findings.causes.labels import neighbour_votes as module
from errlens.analysis.findings.causes.labels.neighbour_votes import neighbour_votes


@pytest.mark.parametrize("block", [7, 64, 10_000])
def test_they_are_the_nearest_by_cosine(monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    monkeypatch.setattr(module, "_QUERIES", 13)
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(300, 8)), rng.integers(0, 4, 300)
    asked = np.sort(rng.choice(300, 40, replace=False))
    near = NearestNeighbors(n_neighbors=7, metric="cosine").fit(features)
    without_itself = near.kneighbors(features[asked], return_distance=False)[:, 1:]
    expected = [np.bincount(label[row], minlength=4) for row in without_itself]
    found = neighbour_votes(features, label, asked, k=6, n_classes=4)
    assert found.tolist() == np.array(expected).tolist()


def test_images_without_a_direction_neither_vote_nor_are_asked():
    features = np.array([[1, 0], [1, 0.1], [0, 0], [np.nan, 1], [1, 0.2]], np.float16)
    found = neighbour_votes(features, np.zeros(5, int), np.arange(5), k=4, n_classes=1)
    assert found[:, 0].tolist() == [2, 2, 0, 0, 2]

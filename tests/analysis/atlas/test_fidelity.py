import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from errlens.analysis.atlas.fidelity import fidelity
from errlens.analysis.statistics.intervals import wilson_interval


def test_what_is_nearest_is_told_by_scikit_learn():
    random = np.random.default_rng(0)
    means = random.normal(size=(30, 8)).astype(np.float32)
    encoded = means * random.uniform(0.1, 9, (30, 1)) + random.normal(size=(30, 8))
    said = fidelity(encoded, means)
    cosines = cosine_similarity(encoded, means)
    assert said.nearest.tolist() == cosines.argmax(axis=1).tolist()
    assert said.similarity == pytest.approx(np.diagonal(cosines))
    hits = int((said.nearest == np.arange(30)).sum())
    assert 0 < hits < 30
    interval = wilson_interval(hits, 30)
    assert (said.value, said.low, said.high) == (hits / 30, interval.low, interval.high)
    assert (said.n, said.chance) == (30, 1 / 30)


def test_icons_that_are_their_cells_are_all_right():
    means = np.random.default_rng(1).normal(size=(12, 20))
    said = fidelity(3 * means, means)
    assert said.value == said.high == 1
    assert said.own.all()


def test_icons_that_know_nothing_are_right_by_chance():
    random = np.random.default_rng(2)
    means = random.normal(size=(40, 16))
    shares = [fidelity(random.normal(size=(40, 16)), means).value for _ in range(300)]
    assert np.mean(shares) == pytest.approx(1 / 40, abs=3 * np.std(shares) / 300**0.5)


def test_no_activation_is_nearest_to_no_cell():
    said = fidelity(np.zeros((3, 4)), np.eye(4)[:3])
    assert said.value == 0
    assert said.similarity.tolist() == [0, 0, 0]

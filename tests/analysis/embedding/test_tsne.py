import numpy as np
import pytest

from errlens.analysis.embedding.trust import trust
from errlens.analysis.embedding.tsne import LEAST_POINTS, STEPS, tsne

pytest.importorskip("openTSNE")


def clusters(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = rng.integers(0, 3, n)
    return (10 * np.eye(3, 12)[of] + rng.normal(size=(n, 12))).astype(np.float32), of


def test_clusters_stay_together_and_the_map_is_the_same_each_time():
    values, of = clusters(90)
    steps = []
    drawn = tsne(values, advance=steps.append)
    assert sum(steps) == STEPS
    assert drawn.tobytes() == tsne(values).tobytes()
    distance = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (of[distance.argmin(axis=1)] == of).all()
    assert trust(values, drawn, seed=0).trustworthiness > 0.9


def test_few_images_in_few_directions_have_a_map_and_copies_lie_together():
    values = np.outer(np.arange(LEAST_POINTS, dtype=float), np.ones(2))
    values[1] = values[0]
    drawn = tsne(values)
    assert np.isfinite(drawn).all()


def test_what_stops_it_stops_it_at_once():
    class Stop(Exception):
        pass

    def advance(_step):
        raise Stop

    with pytest.raises(Stop):
        tsne(clusters(30)[0], advance=advance)


def test_clusters_of_many_images_stay_together(monkeypatch):
    monkeypatch.setattr("errlens.analysis.embedding.tsne.STEPS", 300)
    monkeypatch.setattr("errlens.analysis.embedding.tsne._MANY", 500)
    values, of = clusters(600)
    drawn = tsne(values)
    distance = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (of[distance.argmin(axis=1)] == of).all()

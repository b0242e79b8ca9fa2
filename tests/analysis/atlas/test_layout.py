import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.neighbors import NearestNeighbors

from errlens.analysis.atlas import layout as layouts
from errlens.analysis.atlas.grid import binned
from errlens.analysis.atlas.layout import laid_out, to_unit_square
from errlens.analysis.embedding.tsne import is_installed
from errlens.errors import InputError, UnfitOption

METHODS = [
    "pca",
    pytest.param(
        "tsne", marks=pytest.mark.skipif(not is_installed(), reason="openTSNE is not installed")
    ),
]


def clusters(n=60, channels=12, seed=0):
    """Return points of three kinds, and of which kind each is."""
    random = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], n)
    centres = 8 * np.eye(3, channels)
    points = centres[kind] + random.normal(scale=0.5, size=(len(kind), channels))
    return points.astype(np.float32), kind


@pytest.mark.parametrize("method", METHODS)
def test_planted_clusters_give_pure_cells(method):
    points, kind = clusters()
    found = binned(laid_out(points, method=method).places, grid=12, min_density=2)
    inside = found.cell >= 0
    assert inside.mean() > 0.5
    purest = [np.bincount(kind[found.cell == cell]).max() for cell in range(len(found.cells))]
    assert sum(purest) / inside.sum() >= 0.95


@pytest.mark.parametrize("method", METHODS)
def test_a_layout_is_always_the_same_and_fills_the_square(method):
    points, _ = clusters(n=20)
    first, second = (laid_out(points, method=method) for _ in range(2))
    assert first.places.tobytes() == second.places.tobytes()
    assert (first.places.min(axis=0), first.places.max(axis=0)) == (
        pytest.approx([0, 0]),
        pytest.approx([1, 1]),
    )
    assert first.method == method
    assert not first.remarks


def test_nearness_is_that_of_directions():
    points, _ = clusters(n=20)
    lengths = np.random.default_rng(1).uniform(0.1, 10, (len(points), 1)).astype(np.float32)
    np.testing.assert_allclose(
        laid_out(points * lengths, method="pca").places,
        laid_out(points, method="pca").places,
        atol=1e-5,
    )


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(2, 40), st.just(2)), elements=st.floats(-1e6, 1e6)
    )
)
def test_places_lie_in_the_square_in_their_order(places):
    found = to_unit_square(places)
    assert (found >= 0).all()
    assert (found <= 1).all()
    for ours, given_ in zip(found.T, places.T, strict=True):
        order = np.argsort(given_, kind="stable")
        assert (np.diff(ours[order]) >= -1e-12).all()


def test_what_lies_far_outside_is_brought_to_the_edge_as_in_the_sources():
    random = np.random.default_rng(0)
    places = random.normal(size=(1000, 2))
    places[0] = 1e4
    # lucid's normalize_layout, but that the margin is the same on both sides
    low, high = np.percentile(places, 1, axis=0), np.percentile(places, 99, axis=0)
    margin = 0.1 * (high - low)
    clipped = np.clip(places, low - margin, high + margin)
    clipped -= clipped.min(axis=0)
    clipped /= clipped.max(axis=0)
    np.testing.assert_allclose(to_unit_square(places), clipped)


def test_points_along_a_line_make_a_map_of_one_row():
    angle = np.linspace(0, 1, 50)[:, None]
    line = np.concatenate([np.ones_like(angle), angle, np.zeros_like(angle)], axis=1)
    flat = (line / line.sum(axis=1, keepdims=True)).astype(np.float32)
    # Of length 1 they lie on an arc, so it takes two directions alone to have one line.
    two = np.repeat(np.array([[1, 0], [0, 1]], np.float32), 20, axis=0)
    found = laid_out(two, method="pca")
    assert (found.places[:, 1] == 0.5).all()
    assert "one line" in found.remarks[0]
    assert np.ptp(laid_out(flat, method="pca").places[:, 1]) > 0


@pytest.mark.parametrize("n", [1, 2, 30])
def test_points_that_are_all_the_same_have_no_map(n):
    with pytest.raises(InputError, match="there is no map"):
        laid_out(np.full((n, 4), 2, np.float32))
    with pytest.raises(InputError, match="there is no map"):
        laid_out(np.zeros((n, 4), np.float32))


def test_points_that_are_not_finite_are_counted():
    points, _ = clusters(n=5)
    points[3, 1] = np.nan
    points[4, 0] = np.inf
    with pytest.raises(InputError, match="2 points of 15 have activations that are not finite"):
        laid_out(points)


def test_too_few_points_for_tsne_are_laid_out_by_principal_components():
    points, _ = clusters(n=2)
    found = laid_out(points)
    assert found.method == "pca"
    assert "t-SNE takes 10 points or more, and there are 6" in found.remarks[0] or (
        "not installed" in found.remarks[0]
    )
    with pytest.raises(UnfitOption, match="--layout tsne"):
        laid_out(points, method="tsne")


def test_without_opentsne_principal_components_are_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layouts, "is_installed", lambda: False)
    points, _ = clusters(n=10)
    found = laid_out(points)
    assert found.method == "pca"
    assert "pip install 'errlens[map]'" in found.remarks[0]
    with pytest.raises(UnfitOption, match="not installed") as refused:
        laid_out(points, method="tsne")
    assert "--layout pca" in (refused.value.hint or "")


def test_of_very_many_points_some_are_drawn_and_the_others_put_among_them(
    monkeypatch: pytest.MonkeyPatch,
):
    pytest.importorskip("openTSNE")
    points, cluster = clusters(n=60)
    monkeypatch.setattr(layouts, "MOST_BY_TSNE", 60)
    found = laid_out(points)
    assert (found.method, found.remarks) == ("tsne", ())
    first = np.linspace(0, len(points) - 1, 60).astype(int)
    others = np.setdiff1d(np.arange(len(points)), first)
    nearest = NearestNeighbors(n_neighbors=1).fit(found.places[first])
    guide = nearest.kneighbors(found.places[others], return_distance=False)[:, 0]
    assert (cluster[first][guide] == cluster[others]).all()

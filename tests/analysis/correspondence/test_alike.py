import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kstest

from errlens.analysis.correspondence.alike import how_alike, mean_distances, single_distances

SIGNS = arrays(
    np.int8,
    st.tuples(st.integers(2, 6), st.integers(2, 4), st.integers(1, 40)),
    elements=st.integers(-1, 1),
)
PART = 0


def sizes_of(signs):
    return np.sqrt((signs.astype(float) ** 2).sum(axis=2))


def of_part(signs):
    return mean_distances(signs[:, None], np.zeros((1, len(signs)), np.int64))[0]


@given(SIGNS, st.integers(0, 2**32 - 1))
def test_distances_are_those_of_all_pairs(signs, seed):
    n, vectors, _ = signs.shape
    choices = np.random.default_rng(seed).integers(0, vectors, (5, n))
    expected = [pdist(signs[np.arange(n), choice], "hamming").mean() for choice in choices]
    np.testing.assert_allclose(mean_distances(signs, choices), expected, atol=1e-12)


@given(SIGNS)
def test_single_distances_are_those_from_all_others(signs):
    n = len(signs)
    apart = squareform(pdist(signs[:, PART], "hamming"))
    found = single_distances(signs[:, PART])
    np.testing.assert_allclose(found, apart.sum(axis=1) / (n - 1), atol=1e-12)
    assert found.mean() == pytest.approx(of_part(signs[:, PART]), abs=1e-12)


@given(SIGNS)
def test_ordered_pairs_add_up_to_twice_the_unordered(signs):
    part = signs[:, PART]
    n = len(part)
    ordered = sum((one != other).mean() for one in part for other in part)
    assert ordered == pytest.approx(2 * of_part(part) * n * (n - 1) / 2)


def test_identical_images_are_not_apart():
    signs = np.repeat(np.random.default_rng(0).integers(-1, 2, (1, 50)), 7, axis=0).astype(np.int8)
    assert of_part(signs) == 0
    assert (single_distances(signs) == 0).all()


def test_random_signs_differ_in_half_of_all():
    signs = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (30, 20_000))
    assert of_part(signs) == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("shares", [(0.1, 0.8, 0.1), (0.3, 0.6, 0.1), (0.0, 0.95, 0.05)])
def test_sparse_features_differ_as_their_shares_say(shares):
    signs = np.random.default_rng(2).choice(np.array([-1, 0, 1], np.int8), (30, 20_000), p=shares)
    expected = 1 - sum(share**2 for share in shares)
    assert of_part(signs) == pytest.approx(expected, abs=0.003)


def test_p_is_uniform_where_the_part_is_nothing_special():
    random = np.random.default_rng(3)
    permutations, found = 99, []
    for _ in range(400):
        # Units that lean to one side, and images in which more changes: alike, but not by the part.
        lean = random.normal(size=40) + random.normal(scale=0.5, size=(9, 1, 40))
        signs = np.sign(lean + random.normal(size=(9, 6, 40))).astype(np.int8)
        found.append(
            how_alike(signs, sizes_of(signs), permutations=permutations, seed=len(found)).p_value
        )
    steps = np.array(found) * (1 + permutations)
    np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
    spread = (steps - random.random(len(steps))) / (1 + permutations)  # between its steps
    assert kstest(spread, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.05) < 0.08


def test_p_is_as_small_as_it_gets_where_the_part_alone_changes_alike():
    random = np.random.default_rng(4)
    signs = random.choice(np.array([-1, 1], np.int8), (10, 9, 300))
    signs[:, PART, :200] = signs[0, PART, :200]
    found = how_alike(signs, sizes_of(signs), permutations=199, seed=0)
    assert found.p_value == 1 / 200
    assert found.distance == pytest.approx(0.5 / 3, abs=0.02)
    assert found.random_low < found.random_mean < found.random_high
    assert found.random_mean == pytest.approx(0.5, abs=0.01)
    assert (found.changed, found.random_changed) == (1, 1)


def test_a_part_that_changes_less_alike_has_a_large_p():
    random = np.random.default_rng(5)
    signs = random.choice(np.array([-1, 1], np.int8), (10, 9, 300))
    signs[:, 1:, :200] = signs[0, 1, :200]
    assert how_alike(signs, sizes_of(signs), permutations=199, seed=0).p_value == 1


def test_images_in_which_nothing_changes_are_all_alike_and_tell_nothing():
    found = how_alike(np.zeros((4, 3, 5), np.int8), np.zeros((4, 3)), permutations=19, seed=0)
    assert (found.distance, found.random_mean, found.p_value) == (0, 0, 1)
    assert (found.changed, found.random_changed) == (0, 0)
    assert np.isnan(found.strength)


def test_the_same_seed_draws_the_same():
    signs = np.random.default_rng(6).integers(-1, 2, (5, 4, 30)).astype(np.int8)
    one, two = (how_alike(signs, sizes_of(signs), permutations=50, seed=7) for _ in range(2))
    assert one[:-1] == two[:-1]


def test_the_regions_that_move_features_furthest_are_told_apart():
    random = np.random.default_rng(8)
    signs = random.choice(np.array([-1, 1], np.int8), (6, 4, 50))
    sizes = random.uniform(1, 2, (6, 4))
    furthest = [0, 2, 1, 0, 2, 1]
    sizes[np.arange(6), 1 + np.array(furthest)] = 3
    sizes[:, PART] = 2 * sizes[:, 1:].mean(axis=1)
    found = how_alike(signs, sizes, permutations=19, seed=0)
    assert found.strength == pytest.approx(2)
    chosen = signs[np.arange(6), 1 + np.array(furthest)]
    assert found.strong_distance == pytest.approx(pdist(chosen, "hamming").mean())

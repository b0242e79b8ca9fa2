import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from errlens.atlas.icons.objective import Wanted, around_centre, at_centre, objective


def made(seed, n=6, channels=9):
    random = np.random.default_rng(seed)
    values, means, directions = random.normal(size=(3, n, channels))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return values, means, directions


def asked(values, means, directions, power):
    wanted = Wanted(torch.from_numpy(means), torch.from_numpy(directions))
    return objective(torch.from_numpy(values), wanted, power=power).numpy()


@given(st.integers(0, 1000), st.sampled_from([0.0, 1.0, 2.0, 4.0]))
def test_it_is_the_product_times_a_power_of_the_cosine(seed, power):
    values, means, directions = made(seed)
    product = np.einsum("ij,ij->i", values, directions)
    lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(means, axis=1)
    cosine = np.einsum("ij,ij->i", values, means) / lengths
    wanted = product * np.maximum(0.1, cosine) ** power
    assert asked(values, means, directions, power) == pytest.approx(wanted)


def test_the_cosine_does_not_depend_on_how_large_activations_are():
    values, means, directions = made(0)
    small = asked(values, means, directions, 4.0)
    assert asked(1000 * values, means, directions, 4.0) == pytest.approx(1000 * small)
    assert asked(values, 1000 * means, directions, 4.0) == pytest.approx(small)


@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (6, 4), (1, 3)])
def test_the_centre_is_the_middle_or_the_first_place_behind_it(rows, columns):
    maps = torch.randn(2, 3, rows, columns)
    wanted = maps[:, :, rows // 2, columns // 2]
    assert torch.equal(at_centre(maps), wanted)
    assert torch.equal(around_centre(maps, reach=0), wanted)
    assert around_centre(maps, reach=1e-3) == pytest.approx(wanted)
    assert around_centre(maps, reach=1e6) == pytest.approx(maps.mean(dim=(2, 3)), abs=1e-6)


def test_places_around_the_centre_weigh_as_a_gaussian():
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    down, across = np.meshgrid(np.arange(4) - 2, np.arange(5) - 2, indexing="ij")
    weights = np.exp(-((down / 4) ** 2 + (across / 5) ** 2) / (2 * 0.3**2))
    wanted = np.average(maps, axis=(2, 3), weights=np.broadcast_to(weights, maps.shape))
    around = around_centre(torch.from_numpy(maps), reach=0.3)
    assert around.numpy() == pytest.approx(wanted, abs=1e-6)

"""RISE against what its masks say of a linear network, and its promises about passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import rise
from errlens.attribution.methods.rise import RandomMasks
from tests.attribution.methods.test_occlusion import Largest, Watched
from tests.attribution.networks import SIDE, Patches, explained, planted, targets

SETTINGS = MethodSettings(samples=300, fill="black", batch_size=32)


@pytest.mark.parametrize("size", [(24, 24), (30, 17), (7, 64), (1, 1), (3, 2)])
def test_masks_are_grids_enlarged_and_shifted(size):
    masks = RandomMasks(size, 40, seed=1)
    made = masks.made(slice(0, 40))
    assert made.shape == (40, *size)
    assert made.min() >= 0
    assert made.max() <= 1 + 1e-6
    # By the reference's own recipe: enlarge the whole grid, then crop.
    cells = [min(7, side) for side in size]
    pixels = [(n + 1) * -(-side // n) for n, side in zip(cells, size, strict=True)]
    whole = functional.interpolate(masks._grids[:, None], pixels, mode="bilinear")[:, 0]
    for mask, large, row, column in zip(made, whole, *masks._shifts, strict=True):
        known = large[row : row + size[0], column : column + size[1]]
        torch.testing.assert_close(mask, known, atol=1e-5, rtol=0)


def test_a_pixel_is_seen_half_of_the_time():
    made = RandomMasks((40, 40), 3000, seed=0).made(slice(0, 3000))
    assert (made.mean(dim=0) - 0.5).abs().max() < 0.05


def test_of_a_linear_network_it_is_how_weights_vary_with_what_is_seen():
    torch.manual_seed(0)
    weight = torch.randn(SIDE, SIDE, dtype=torch.float64)

    class Linear(nn.Module):
        def forward(self, images):
            score = (images.mean(dim=1) * weight).sum(dim=(1, 2))
            return torch.stack([score + 7, -score], dim=1)

    images = torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64)
    maps = explained(rise, Linear(), images, targets([0, 1]), replace(SETTINGS, samples=4000))
    adds = (weight * (images[0].mean(dim=0) + 1)).ravel()  # black is -1
    made = RandomMasks((SIDE, SIDE), 20000, seed=99).made(slice(0, 20000)).flatten(1).double()
    known = (torch.cov(made.T) @ adds / 0.5).reshape(SIDE, SIDE)
    found = maps.values[0, 0]
    assert np.corrcoef(found.ravel(), known.ravel())[0, 1] > 0.95
    assert (found - known).abs().mean() < 0.3 * known.abs().mean()
    # The constant of 7 leaves no trace.
    torch.testing.assert_close(maps.values[0, 1], -found, atol=1e-10, rtol=0)
    assert found.min() < 0 < found.max()


def test_a_score_that_does_not_depend_on_the_image_has_a_map_of_zeros():
    class Blind(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :2] * 0 + 3

    images, _, _ = planted(1)
    assert not explained(rise, Blind(), images, targets([0]), SETTINGS).values.any()


@pytest.mark.parametrize("samples", [1, 2])
def test_hardly_any_samples_give_a_finite_map(samples):
    images, _, _ = planted(1)
    maps = explained(rise, Patches(), images, targets([0]), replace(SETTINGS, samples=samples))
    assert maps.values.isfinite().all()
    if samples == 1:
        assert not maps.values.any()  # the one score is the mean


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_all_targets_are_read_from_passes_of_at_most_a_batch(batch_size):
    images, _, _ = planted(1)
    module = Watched()
    settings = replace(SETTINGS, samples=40, batch_size=batch_size)
    maps = explained(rise, module, images, targets([0, 3, (0, 3)]), settings)
    assert max(module.seen) == min(batch_size, 40)
    assert sum(module.seen) == 41  # and the image itself
    known = explained(
        rise, Patches(), images, targets([0, 3, (0, 3)]), replace(settings, batch_size=9)
    )
    torch.testing.assert_close(maps.values, known.values, atol=1e-5, rtol=1e-4)


def test_masks_are_made_batch_by_batch():
    images, _, _ = planted(1)
    with Largest() as largest:
        explained(
            rise, Patches(), images, targets([0]), replace(SETTINGS, samples=100, batch_size=8)
        )
    assert largest.values == 8 * 3 * SIDE * SIDE


@pytest.mark.parametrize("size", [(1, 24, 24), (4, 9, 30), (3, 2, 3)])
def test_images_of_other_channels_and_sizes_have_maps(size):
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(size)), 2))
    maps = explained(rise, module, torch.rand(2, *size), targets([0], [1]), SETTINGS, size=size)
    assert maps.values.shape == (2, 1, *size[1:])
    assert maps.values.isfinite().all()


def test_an_image_of_what_hides_it_has_a_map_of_zeros():
    maps = explained(rise, Patches(), -torch.ones(1, 3, SIDE, SIDE), targets([0]), SETTINGS)
    assert not maps.values.any()

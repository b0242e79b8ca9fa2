"""Parts of images: every pixel in one, numbered without gaps."""

import numpy as np
import pytest
import torch
from torch import nn

from errlens.attribution.perturbations import superpixels as module
from errlens.attribution.perturbations.superpixels import cells, parts_in_words, superpixels
from tests.attribution.networks import model_of, planted


@pytest.fixture(params=["slic", "grid"], autouse=True)
def kind(request, monkeypatch):
    """With scikit-image, if it is installed, and without."""
    if request.param == "slic":
        pytest.importorskip("skimage")
    monkeypatch.setattr(module, "has_slic", lambda: request.param == "slic")
    return request.param


@pytest.mark.parametrize(
    "size", [(3, 24, 24), (1, 32, 20), (4, 9, 64), (3, 1, 1), (3, 2, 50), (3, 5, 5)]
)
@pytest.mark.parametrize("plain", [True, False])
def test_every_pixel_is_in_one_part(size, plain):
    image = torch.zeros(size) if plain else torch.rand(size)
    parts = superpixels(model_of(nn.Identity(), size=size), image)
    assert parts.shape == size[1:]
    assert np.array_equal(np.unique(parts), np.arange(parts.max() + 1))
    assert parts.max() < 70


def test_a_patch_is_not_cut_in_the_middle_by_slic(kind):
    if kind == "grid":
        pytest.skip("a grid knows no patches")
    images, ((top, left, bottom, right),), _ = planted(1, side=64)
    parts = superpixels(model_of(nn.Identity(), size=(3, 64, 64)), images[0])
    patch = np.zeros((64, 64), bool)
    patch[top:bottom, left:right] = True
    mixed = sum(0.2 < patch[parts == part].mean() < 0.8 for part in np.unique(parts))
    assert mixed <= 1


def test_it_is_said_what_parts_are(kind):
    assert (
        parts_in_words(24, 24) == {"slic": "superpixels of SLIC", "grid": "a grid of 7 x 7"}[kind]
    )
    assert parts_in_words(3, 24) == "a grid of 3 x 7"


def test_cells_of_a_grid_are_equal_where_the_side_divides():
    found = cells(14, 21)
    assert np.array_equal(np.bincount(found.ravel()), np.full(49, 6))
    assert found[0, 0] == 0
    assert found[-1, -1] == 48

import numpy as np
import pytest
import torch

from errlens.atlas.icons.recipe import Recipe
from errlens.atlas.icons.views import View, drawn_views, viewed


@pytest.fixture
def pictures():
    return torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))


def test_a_view_that_does_nothing_changes_nothing(pictures):
    assert viewed(pictures, View()) == pytest.approx(pictures, abs=1e-6)


def test_shifted_pictures_are_0_where_they_end(pictures):
    shifted = viewed(pictures, View(across=3 / 12, down=-2 / 8))
    assert shifted[:, :, :-2, 3:] == pytest.approx(pictures[:, :, 2:, :-3], abs=1e-5)
    assert float(shifted[:, :, :, :3].abs().max()) < 1e-5
    assert float(shifted[:, :, -2:].abs().max()) < 1e-5


def test_a_quarter_turn_keeps_squares_square(pictures):
    turned = viewed(pictures, View(degrees=90))[0, :, :, 2:10]
    inner = pictures[0, :, :, 2:10]
    ways = [torch.rot90(inner, k, dims=(1, 2)) for k in (1, 3)]
    assert min(float((turned - way).abs().max()) for way in ways) < 1e-5


def test_an_enlarged_picture_shows_its_middle():
    ramp = torch.linspace(-1, 1, 21).expand(1, 1, 21, 21)
    middle = slice(5, 16)
    larger = viewed(ramp, View(scale=2))
    assert larger[0, 0, 10, middle] == pytest.approx(ramp[0, 0, 10, middle] / 2, abs=1e-6)


def test_views_are_drawn_within_bounds_and_the_same_again():
    recipe = Recipe(steps=400, shift=0.2, degrees=20, scales=(0.5, 2.0), seed=3)
    views = np.array(list(drawn_views(recipe)))
    assert views.shape == (400, 4)
    assert np.abs(views[:, 0]).max() <= 20
    assert 0.5 <= views[:, 1].min() < 0.6 < 1.8 < views[:, 1].max() <= 2
    assert np.median(views[:, 1]) == pytest.approx(1, abs=0.15)
    assert np.abs(views[:, 2:]).max() <= 0.2
    assert views.std(axis=0).min() > 0.1
    assert (views == list(drawn_views(recipe))).all()
    assert (views != list(drawn_views(Recipe(steps=400, seed=4)))).any()

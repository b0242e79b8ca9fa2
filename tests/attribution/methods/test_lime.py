"""LIME against networks of which each part's share is known, and its promises about passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import lime
from errlens.attribution.perturbations import superpixels as parts_of_images
from errlens.attribution.perturbations.superpixels import cells
from errlens.maps import LEAST_R_SQUARED, Target
from tests.attribution.methods.test_occlusion import Largest, Watched
from tests.attribution.networks import SIDE, Patches, explained, model_of, planted, targets

SETTINGS = MethodSettings(samples=300, fill="black", batch_size=32)
PARTS = cells(SIDE, SIDE)


@pytest.fixture(autouse=True)
def grid(monkeypatch):
    """Parts that are known."""
    monkeypatch.setattr(parts_of_images, "has_slic", lambda: False)


class Linear(nn.Module):
    """A weighted sum of pixels, so that a part adds what its pixels add."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(3, 3, SIDE, SIDE, dtype=torch.float64))

    def forward(self, images):
        return torch.einsum("nchw,kchw->nk", images, self.weight) + 5


class Noise(nn.Module):
    """Scores that have nothing to do with what is seen, but depend on every pixel."""

    def forward(self, images):
        seen = images.double() * torch.arange(1, images[0].numel() + 1).reshape(images[0].shape)
        noise = torch.sin(seen.sum(dim=(1, 2, 3)) * 1e4)
        return torch.stack([noise, -noise], dim=1)


def shares(image):
    """What each part adds to each class of `Linear`, against black, which is -1."""
    adds = (Linear().weight.detach() * (image + 1)).sum(dim=1)
    return torch.stack([adds[:, part == PARTS].sum(dim=1) for part in range(49)], dim=1)


def test_of_a_linear_network_a_part_has_what_it_adds_as_the_penalty_vanishes():
    images = planted(1)[0].double()
    hidden = lime.hide_at_random(model_of(Linear()), images[0], SETTINGS)
    fit = lime.fitted(hidden.shown, hidden.logits, penalty=1e-6)
    np.testing.assert_allclose(fit.coefficients.T, shares(images[0]), atol=1e-3)
    np.testing.assert_allclose(fit.r_squared, 1, atol=1e-6)


def test_it_is_the_ridge_of_scikit_learn_with_the_cosine_kernel_of_the_original():
    images, _, (colour,) = planted(1)
    model = model_of(Patches().eval())
    hidden = lime.hide_at_random(model, images[0], SETTINGS)
    on = hidden.shown.astype(float)
    whole = np.ones(49)
    cosine = 1 - on @ whole / np.maximum(np.linalg.norm(on, axis=1), 1e-12) / np.linalg.norm(whole)
    weights = np.sqrt(np.exp(-(cosine**2) / 0.25**2))
    scores = hidden.logits[:, colour].double().numpy()
    theirs = Ridge(alpha=1).fit(on, scores, sample_weight=weights).coef_
    ours = explained(lime, Patches(), images, targets([colour]), SETTINGS).values[0, 0]
    assert np.abs(theirs).max() > 0.1
    np.testing.assert_allclose(ours, theirs[PARTS], atol=1e-5)


def test_each_sample_shows_the_parts_that_it_says_and_black_elsewhere():
    images, _, _ = planted(1)
    model = model_of(nn.Flatten())
    hidden = lime.hide_at_random(model, images[0], replace(SETTINGS, samples=20, batch_size=3))
    for shown, seen in zip(hidden.shown, hidden.logits, strict=True):
        known = torch.where(torch.from_numpy(shown[PARTS]), images[0], -torch.ones(()))
        assert torch.equal(seen, known.flatten())
    assert hidden.shown[0].all()
    assert 0.3 < hidden.shown.mean() < 0.7


def test_r_squared_tells_what_is_a_sum_of_parts_from_what_is_none():
    images, _, _ = planted(2)
    maps = explained(lime, Linear(), images.double(), targets([0, (1, 2)], [1, 2]), SETTINGS)
    assert (maps.r_squared > 0.99).all()
    maps = explained(lime, Noise(), images, targets([0], [1]), SETTINGS)
    assert (maps.r_squared < LEAST_R_SQUARED).all()
    assert maps.values.isfinite().all()


@pytest.mark.parametrize("samples", [5, 30, 49])
def test_fewer_samples_than_parts_do_not_pass_for_a_fit(samples):
    images, _, _ = planted(1)
    settings = replace(SETTINGS, samples=samples)
    maps = explained(lime, Noise(), images, targets([0]), settings)
    assert maps.values.isfinite().all()
    assert maps.r_squared[0, 0] < LEAST_R_SQUARED


def test_a_difference_says_how_well_it_fits_itself():
    images, _, _ = planted(1)
    difference = Target("difference", 0, 3)
    wanted = [[Target("one", 0), Target("other", 3), difference]]
    *_, found = explain_batch("lime", model_of(Patches()), images, wanted, SETTINGS)[0]
    (alone,) = explain_batch("lime", model_of(Patches()), images, [[difference]], SETTINGS)[0]
    assert found.r_squared == pytest.approx(alone.r_squared, abs=1e-6)
    np.testing.assert_allclose(found.values, alone.values, atol=1e-6)


def test_one_sample_is_the_image_itself_and_says_nothing():
    images, _, _ = planted(1)
    maps = explained(lime, Patches(), images, targets([0]), replace(SETTINGS, samples=1))
    assert not maps.values.any()
    assert maps.r_squared.isnan().all()


def test_a_score_that_does_not_depend_on_the_image_has_a_map_of_zeros():
    class Blind(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :2] * 0 + 3

    images, _, _ = planted(1)
    maps = explained(lime, Blind(), images, targets([0, 1]), SETTINGS)
    assert not maps.values.any()
    (known,) = explain_batch("lime", model_of(Blind()), images, targets([0]), SETTINGS)[0]
    assert known.r_squared is None
    assert not known.fits_poorly


def test_an_image_of_what_hides_it_is_shown_once():
    module = Watched()
    maps = explained(lime, module, -torch.ones(1, 3, SIDE, SIDE), targets([0]), SETTINGS)
    assert not maps.values.any()
    assert sum(module.seen) == 1


def test_samples_that_look_the_same_are_shown_once():
    image = -torch.ones(1, 3, SIDE, SIDE)
    image[:, 0, 7:11, 7:11] = 1.0  # one cell
    module = Watched()
    maps = explained(lime, module, image, targets([0]), SETTINGS)
    assert sum(module.seen) == 2
    assert divmod(int(maps.values[0, 0].argmax()), SIDE) == (7, 7)


def test_one_part_has_one_value_and_no_good_fit(monkeypatch):
    monkeypatch.setattr(lime, "superpixels", lambda *_: np.zeros((SIDE, SIDE), np.int64))
    images = planted(1)[0].double()
    maps = explained(lime, Linear(), images, targets([0]), SETTINGS)
    known = float(shares(images[0])[0].sum())
    assert maps.values.unique().numel() == 1
    # A sample without it is as far as can be from the image, and hardly counts.
    assert 0 < float(maps.values[0, 0, 0, 0]) / known < 0.5
    assert maps.r_squared[0, 0] < LEAST_R_SQUARED


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_all_targets_are_read_from_passes_of_at_most_a_batch(batch_size):
    images, _, _ = planted(1)
    module = Watched()
    settings = replace(SETTINGS, samples=60, batch_size=batch_size)
    maps = explained(lime, module, images, targets([0, 3, (0, 3)]), settings)
    assert max(module.seen) == min(batch_size, 60)
    assert sum(module.seen) == 60
    known = explained(
        lime, Patches(), images, targets([0, 3, (0, 3)]), replace(settings, batch_size=9)
    )
    torch.testing.assert_close(maps.values, known.values, atol=1e-5, rtol=1e-4)


def test_no_more_than_a_batch_of_inputs_exists():
    images, _, _ = planted(1)
    with Largest() as largest:
        settings = replace(SETTINGS, samples=200, batch_size=8)
        explained(lime, Patches(), images, targets([0]), settings)
    assert largest.values == 8 * 3 * SIDE * SIDE  # of 200 inputs


def test_the_seed_decides_and_a_probability_can_be_explained():
    images, _, (colour,) = planted(1)
    wanted = targets([colour])
    first, other = (
        explained(lime, Patches(), images, wanted, replace(SETTINGS, seed=seed)) for seed in (0, 1)
    )
    assert not torch.equal(first.values, other.values)
    sure = explained(lime, Patches(), images, wanted, replace(SETTINGS, probability=True))
    assert sure.unit == "probability per part"
    assert 0 <= float(sure.scores[0, 0]) <= 1


@pytest.mark.parametrize("size", [(1, 24, 24), (4, 9, 30), (3, 2, 3)])
def test_images_of_other_channels_and_sizes_have_maps(size):
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(size)), 2))
    images = torch.rand(2, *size)
    maps = explained(lime, module, images, targets([0], [1]), SETTINGS, size=size)
    assert maps.values.shape == (2, 1, *size[1:])
    assert maps.values.isfinite().all()

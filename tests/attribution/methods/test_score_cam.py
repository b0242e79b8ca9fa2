"""Score-CAM against a plain loop over channels, and its promises about passes."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import score_cam
from errlens.attribution.methods.score_cam import enlarged, scaled
from errlens.maps import NoMap
from tests.attribution.methods.test_occlusion import Largest
from tests.attribution.networks import SIDE, Patches, explained, model_of, planted, targets

SETTINGS = MethodSettings(fill="black", batch_size=32)


class Wide(nn.Module):
    """A convolution with a few channels, one of which is dead and one of which is there twice."""

    def __init__(self, channels=3):
        super().__init__()
        torch.manual_seed(0)
        self.see = nn.Conv2d(channels, 12, 5, stride=4)
        self.head = nn.Linear(12, 4)
        with torch.no_grad():
            self.see.weight[3] = 0.0
            self.see.weight[5], self.see.bias[5] = self.see.weight[4], self.see.bias[4]

    def forward(self, images):
        return self.head(torch.tanh(self.see(images)).square().mean(dim=(2, 3)))


class Counted(Wide):
    """Keeps how many inputs it got in each pass."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(len(images))
        return super().forward(images)


def by_loop(module, image, wanted):
    """Score each channel by itself, in 64 bits."""
    channels = module.see(image[None])[0]
    scores, masks = [float(module(torch.full_like(image, -1.0)[None])[0, wanted])], []
    for channel in channels:
        if channel.max() == channel.min():
            continue
        large = functional.interpolate(channel[None, None], image.shape[1:], mode="bilinear")[0]
        mask = (large - large.min()) / (large.max() - large.min())
        mixture = mask * image + (1 - mask) * -1.0
        scores.append(float(module(mixture[None])[0, wanted]))
        masks.append((channel - channel.min()) / (channel.max() - channel.min()))
    mean = np.mean(scores)
    return sum((score - mean) * mask for score, mask in zip(scores[1:], masks, strict=True)) / 11


@torch.no_grad()
def test_it_is_a_loop_over_channels():
    module, images = Wide().double().eval(), planted(2)[0].double()
    wanted = targets([0, 3], [1, 3])
    maps = explained(score_cam, module, images, wanted, SETTINGS)
    for image, of_image, values in zip(images, wanted, maps.values, strict=True):
        for target, found in zip(of_image, values, strict=True):
            torch.testing.assert_close(
                found, by_loop(module, image, target.wanted), atol=1e-10, rtol=0
            )
    assert maps.layer == "see"
    assert maps.values.shape == (2, 2, 5, 5)
    assert maps.values.min() < 0 < maps.values.max()


def test_dead_and_equal_channels_are_not_tried():
    images, _, _ = planted(1)
    module = Counted()
    model_of(module).spatial_layer  # noqa: B018 - looked for once
    module.seen.clear()
    explained(score_cam, module, images, targets([0, 1, (0, 1)]), SETTINGS)
    # Twice to look for the layer, the image, and in one batch nothing and ten of twelve channels.
    assert module.seen[-2:] == [1, 11]


def test_masks_run_from_zero_to_one_and_dead_channels_have_none():
    channels = torch.randn(6, 4, 5)
    channels[2] = 7.0
    channels[4] = 1e-3 * channels[0]
    found = scaled(channels)
    assert found.shape == (5, 4, 5)
    large = enlarged(torch.cat([found, torch.zeros(1, 4, 5)]), (33, 20))
    assert torch.equal(large.amin(dim=(1, 2)), torch.zeros(6))
    assert torch.equal(large.amax(dim=(1, 2)), torch.tensor([1.0] * 5 + [0.0]))


def test_where_all_channels_are_dead_there_is_no_map_and_a_reason():
    module = Patches()
    with torch.no_grad():
        module.see.weight.zero_()
    images, _, _ = planted(1)
    (found,) = explain_batch("score-cam", model_of(module), images, targets([0]), SETTINGS)[0]
    assert isinstance(found, NoMap)
    assert "same at all places" in found.reason


def test_a_score_that_does_not_depend_on_the_image_has_a_map_of_zeros():
    module = Wide()
    with torch.no_grad():
        module.head.weight[2] = 0.0
    images, _, _ = planted(1)
    maps = explained(score_cam, module, images, targets([2, 1]), SETTINGS)
    assert not maps.values[0, 0].any()
    assert maps.values[0, 1].any()


def test_an_image_of_what_hides_it_has_a_map_of_zeros():
    images = torch.full((1, 3, SIDE, SIDE), -1.0)
    (found,) = explain_batch("score-cam", model_of(Patches()), images, targets([0]), SETTINGS)[0]
    assert isinstance(found, NoMap) or not found.values.any()


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_the_batch_size_does_not_matter_and_is_kept(batch_size):
    images, _, _ = planted(1)
    module = Counted()
    wanted = targets([0, (0, 1)])
    values = explained(
        score_cam, module, images, wanted, replace(SETTINGS, batch_size=batch_size)
    ).values
    passes = -(-11 // batch_size)
    assert max(module.seen[-passes:]) == min(batch_size, 11)
    assert sum(module.seen[-passes:]) == 11
    known = explained(score_cam, Wide(), images, wanted, SETTINGS).values
    torch.testing.assert_close(values, known, atol=1e-6, rtol=1e-4)


def test_no_more_than_a_batch_of_inputs_exists():
    images, _, _ = planted(1)
    with Largest() as largest:
        explained(score_cam, Patches(), images, targets([0]), replace(SETTINGS, batch_size=2))
    assert largest.values <= 2 * 3 * SIDE * SIDE


def test_images_of_one_channel_have_maps():
    module, images = Wide(channels=1), torch.rand(2, 1, SIDE, SIDE)
    maps = explained(score_cam, module, images, targets([0], [1]), SETTINGS, size=(1, SIDE, SIDE))
    assert maps.values.isfinite().all()


def test_tokens_of_a_transformer_are_channels_too():
    module = timm.create_model("test_vit", pretrained=False, num_classes=3, img_size=64).eval()
    images = torch.randn(1, 3, 64, 64)
    maps = explained(score_cam, module, images, targets([0]), SETTINGS, size=(3, 64, 64))
    assert maps.values.shape == (1, 1, 4, 4)
    assert maps.values.isfinite().all()

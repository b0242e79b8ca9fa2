"""DeepLIFT against captum, against what is known on paper, and against its own completeness."""

from collections import OrderedDict

import captum.attr
import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import MethodSettings, borrowed
from errlens.attribution.methods import deeplift, gradient_x_input
from errlens.attribution.operations.rules import Unruled
from tests.attribution.networks import explained, model_of, targets

WANTED = targets([0], [3], [1])
SIDE = 32


def photos(*, dtype=torch.float64, n=3, side=SIDE):
    random = torch.Generator().manual_seed(1)
    return torch.rand(n, 3, side, side, dtype=dtype, generator=random) * 2 - 1


def small(*, bias=True, pooling=nn.MaxPool2d):
    torch.manual_seed(0)
    return nn.Sequential(
        OrderedDict(
            see=nn.Conv2d(3, 8, 3, bias=bias),
            see_act=nn.ReLU(),
            pool=pooling(3, 2),
            look=nn.Conv2d(8, 8, 3, bias=bias),
            look_act=nn.ReLU(),
            flat=nn.Flatten(),
            head=nn.Linear(8 * 13 * 13, 5, bias=bias),
        )
    ).double()


def test_it_is_captums():
    module = small()
    ours = explained(deeplift, module, photos(), WANTED).values[:, 0]
    for image, (target,), one in zip(photos(), WANTED, ours, strict=True):
        # One at a time: its rule for max-pooling takes the gradient of the first image for all.
        with pytest.warns(UserWarning, match="hooks"):
            theirs = captum.attr.DeepLift(module).attribute(
                image[None], baselines=-torch.ones_like(image[None]), target=target.wanted
            )
        expected = theirs.detach().sum(dim=1)[0]
        limit = 1e-6 * float(expected.abs().max())
        torch.testing.assert_close(one, expected, rtol=0, atol=limit)


def test_without_biases_and_from_zero_it_is_the_gradient_times_the_input():
    module = small(bias=False)
    with borrowed(module):
        model = model_of(module, size=(3, SIDE, SIDE))
        from_zero = model.__class__(module, model.size, torch.zeros(3), torch.ones(3))
        ours, theirs = (
            method.explain(from_zero, photos(), WANTED, MethodSettings()).values
            for method in (deeplift, gradient_x_input)
        )
    limit = 1e-5 * float(theirs.abs().max())
    torch.testing.assert_close(ours, theirs, rtol=0, atol=limit)


class Twice(nn.Module):
    """Two rectifiers and a sum, called in one way or another."""

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.see, self.look = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)
        self.first = nn.ReLU(inplace=way == "in place")
        self.second = nn.ReLU() if way == "separate" else self.first

    def forward(self, images):
        first, second = self.first, self.second
        if self.way == "functions":
            first = second = functional.relu
        seen = first(self.see(images))
        looked = self.look(seen)
        if self.way == "in place":
            looked += seen
        else:
            looked = looked + seen
        return self.head(second(looked).mean((2, 3)))


@pytest.mark.parametrize("way", ["shared", "functions", "in place"])
def test_it_does_not_matter_how_activations_are_called(way):
    ours, separate = (
        explained(deeplift, Twice(each).double(), photos(), WANTED).values
        for each in (way, "separate")
    )
    assert torch.equal(ours, separate)


NETWORKS = {
    "resnet": ("test_resnet", {}),
    "vit": ("test_vit", {"img_size": 32, "patch_size": 8}),
    "efficientnet": ("test_efficientnet", {}),
    "efficientnet_lite": ("tf_efficientnet_lite0", {}),
    "efficientnet_b0": ("efficientnet_b0", {}),
    "convnext": ("test_convnext", {}),
    "vgg": ("vgg11_bn", {"num_features": 32}),
    "mobilenetv3": ("mobilenetv3_small_050", {}),
    "mixer": ("mixer_s32_224", {"img_size": 64, "num_blocks": 2, "embed_dim": 32}),
    "swin": ("swin_tiny_patch4_window7_224",
             {"img_size": 56, "depths": (1, 1), "num_heads": (2, 2), "embed_dim": 16}),
    "maxvit": ("test_maxvit", {}),
    "densenet": ("densenet121", {"growth_rate": 8, "block_config": (2, 2)}),
}  # fmt: skip


def network(name):
    """Return a network whose scores depend on its image as those of a trained one do."""
    torch.manual_seed(0)
    model, options = NETWORKS[name]
    module = timm.create_model(model, num_classes=5, **options).eval()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):  # as after a training on noise
                part.train().momentum = 1.0
                part.bias.normal_(0, 0.3)
        for weight in module.get_classifier().parameters():
            weight.normal_(0, 0.3)
        side = options.get("img_size", 64)
        module(photos(dtype=torch.float32, n=8, side=side))
    return module.eval(), side


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_add_up_to_the_difference_from_black_in_single_precision(name):
    module, side = network(name)
    images = photos(dtype=torch.float32, n=2, side=side)
    images[0, :, : side // 2] = -1  # black as the baseline is
    maps = explained(deeplift, module, images, targets([0, 1, (0, 1)], [2, 3, (2, 3)]))
    with torch.no_grad():
        logits = module(images) - module(-torch.ones_like(images))
    expected = torch.stack([logits[0, :2], logits[1, 2:4]])
    expected = torch.cat([expected, expected[:, :1] - expected[:, 1:]], dim=1)
    torch.testing.assert_close(maps.totals, expected, rtol=1e-3, atol=1e-5)
    assert maps.totals.abs().max() > 1e-2
    off = (maps.values.sum((2, 3)) - maps.totals).abs()
    assert float(off.max()) < 1e-4 * float(maps.totals.abs().max())
    torch.testing.assert_close(
        maps.values[:, 0] - maps.values[:, 1],
        maps.values[:, 2],
        rtol=0,
        atol=1e-4 * float(maps.values.abs().max()),
    )
    assert deeplift.unsupported(model_of(module, size=(3, side, side))) is None


@pytest.mark.parametrize("name", ["resnet", "swin"])
def test_batches_are_cut_and_images_do_not_matter_to_one_another(name):
    module, side = network(name)
    module, images = module.double(), photos(n=3, side=side)
    together, one_by_one = (
        explained(deeplift, module, images, WANTED, MethodSettings(batch_size=size))
        for size in (16, 1)
    )
    for ours, theirs in zip(together[:3], one_by_one[:3], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 5)

    def forward(self, images):
        return self.head(images.mean((2, 3)).sort(dim=1).values)


class ByLight(nn.Module):
    """Has another activation for what is not black."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 5)

    def forward(self, images):
        seen = images.mean((2, 3))
        return self.head(seen.relu() if float(images.detach().mean()) > -0.9 else seen.tanh())


@pytest.mark.parametrize(("module", "why"), [(Sorted(), "sort"), (ByLight(), "black image")])
def test_what_has_no_rule_is_refused_in_a_sentence(module, why):
    reason = deeplift.unsupported(model_of(module, size=(3, SIDE, SIDE)))
    assert why in reason
    assert len(reason.split()) > 3
    with pytest.raises(Unruled, match=why):
        explained(deeplift, module, photos(dtype=torch.float32), WANTED)

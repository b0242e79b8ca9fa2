"""DeepLIFT against captum, against what is known on paper, and against its own completeness."""

from collections import OrderedDict
from functools import partial

import captum.attr
import pytest
import timm
import torch
from timm.models.densenet import DenseNet
from timm.models.mlp_mixer import MlpMixer
from timm.models.swin_transformer import SwinTransformer
from timm.models.vgg import VGG
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import MethodSettings, borrowed
from errlens.attribution.methods import deeplift, gradient_x_input
from errlens.errors import Unruled
from tests.attribution.networks import explained, model_of, targets

WANTED = targets([0], [3], [1])
SIDE = 32


def photos(*, dtype=torch.float64, n=3, side=SIDE):
    random = torch.Generator().manual_seed(1)
    return torch.rand(n, 3, side, side, dtype=dtype, generator=random) * 2 - 1


def small(pool, left, *, bias=True):
    torch.manual_seed(0)
    return nn.Sequential(
        OrderedDict(
            see=nn.Conv2d(3, 8, 3, bias=bias),
            pool=pool,
            see_act=nn.ReLU(),
            look=nn.Conv2d(8, 8, 3, bias=bias),
            look_act=nn.ReLU(),
            flat=nn.Flatten(),
            head=nn.Linear(8 * left * left, 5, bias=bias),
        )
    ).double()


def test_it_is_captums():
    # Not with a max-pooling, where captum's own maps do not add up.
    module = small(nn.AvgPool2d(2), 13)
    ours = explained(deeplift, module, photos(), WANTED).values[:, 0]
    for image, (target,), one in zip(photos().requires_grad_(), WANTED, ours, strict=True):
        with pytest.warns(UserWarning, match="hooks"):
            theirs = captum.attr.DeepLift(module).attribute(
                image[None], baselines=-torch.ones_like(image[None]), target=target.wanted
            )
        expected = theirs.detach().sum(dim=1)[0]
        limit = 1e-6 * float(expected.abs().max())
        torch.testing.assert_close(one, expected, rtol=0, atol=limit)


def test_without_biases_and_from_zero_it_is_the_gradient_times_the_input():
    module = small(nn.MaxPool2d(3, 2), 12, bias=False)
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
    "resnet": (partial(timm.create_model, "test_resnet"), 64),
    "vit": (partial(timm.create_model, "test_vit", img_size=32, patch_size=8), 32),
    "efficientnet": (partial(timm.create_model, "test_efficientnet"), 64),
    "efficientnet_lite": (partial(timm.create_model, "tf_efficientnet_lite0"), 64),
    "efficientnet_b0": (partial(timm.create_model, "efficientnet_b0"), 64),
    "convnext": (partial(timm.create_model, "test_convnext"), 64),
    "vgg": (partial(VGG, [8, 16, "M", 16, "M"], mlp_ratio=0.01, norm_layer=nn.BatchNorm2d), 64),
    "mobilenetv3": (partial(timm.create_model, "mobilenetv3_small_050"), 64),
    "mixer": (partial(MlpMixer, img_size=32, patch_size=8, num_blocks=2, embed_dim=32), 32),
    "swin": (
        partial(SwinTransformer, 56, embed_dim=16, depths=(1, 1), num_heads=(2, 2)),
        56,
    ),
    "maxvit": (partial(timm.create_model, "test_maxvit"), 160),
    "densenet": (partial(DenseNet, growth_rate=8, block_config=(2, 2)), 64),
}


def network(name):
    """Return a network whose scores depend on its image as those of a trained one do."""
    torch.manual_seed(0)
    make, side = NETWORKS[name]
    module = make(num_classes=5).eval()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):  # as after a training on noise
                part.train().momentum = 1.0
                part.bias.normal_(0, 0.3)
        for weight in module.get_classifier().parameters():
            weight.normal_(0, 0.3)
        seen = photos(dtype=torch.float32, n=8, side=side)
        seen[:2] = -1  # black is nothing new to it
        module(seen)
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

import copy

import pandas as pd
import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import UnfitLayer, UnfitModel, UnfitOption
from errlens.model.layers.places import find_layer, spatial_layers
from errlens.network.capture import capture_layer, find_layer_or_name_one
from errlens.network.layers import find_layers

SIZE = (3, 32, 32)


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, *SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=4, zero_init_last=False)


class WithFunctions(nn.Module):
    """A network whose activations are functions, and whose layer `twice` runs two times."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.twice = nn.Conv2d(6, 6, 3, padding=1)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x)), inplace=True)
        x = self.twice(functional.relu(self.twice(x)))
        return (x + 1).mean(dim=(2, 3))


def captured(module, images, name, **options):
    return capture_layer(module, images, find_layer(module, SIZE, name), **options)


def fingerprint(module):
    hooks = [
        (name, len(part._forward_hooks), len(part._forward_pre_hooks), part.training)
        for name, part in module.named_modules()
    ]
    flags = [(weight.requires_grad, weight.grad) for weight in module.parameters()]
    return hooks, flags, copy.deepcopy(module.state_dict())


@pytest.mark.parametrize("name", ["conv1", "bn1", "act1", "layer1", "layer2.0.conv1"])
def test_what_comes_after_a_relu_is_what_came_before_it_rectified(resnet, images, name):
    found = captured(resnet, images, name)
    assert (found.activation, found.calls, found.why_none) == ("relu", 1, "")
    assert found.before.min() < 0  # timm's works in place: a reference would show what is left
    assert torch.equal(found.before.relu(), found.after)


def test_an_activation_inside_of_a_normalization_is_found(images):
    module = timm.create_model("test_efficientnet", num_classes=4)
    found = captured(module, images, "bn1")
    assert torch.equal(found.output, found.after)
    assert torch.allclose(functional.silu(found.before), found.after)


def test_activations_that_are_functions_are_found_behind_a_normalization(images):
    module = WithFunctions().eval()
    found = captured(module, images, "conv")
    assert torch.equal(found.before.relu(), found.after)
    assert torch.allclose(found.before, module.norm(module.conv(images)))
    assert torch.allclose(found.output, module.conv(images))


def test_relu6_is_called_so(images):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = captured(module, images * 100, "0")
    assert found.activation == "relu6"
    assert torch.equal(found.before.clamp(0, 6), found.after)


def test_a_sum_between_a_layer_and_a_relu_is_said(images):
    found = captured(torchvision.models.resnet18(), images, "layer1.0.bn2")
    assert found.before is None
    assert found.why_none == (
        "layer 'layer1.0.bn2' has no activation: its output is added to another, and relu follows "
        "that sum"
    )


def test_of_a_layer_that_runs_twice_each_call_can_be_had(images):
    module = WithFunctions().eval()
    first, last = (captured(module, images, "twice", call=call) for call in (1, None))
    assert (first.call, last.call, last.calls) == (1, 2, 2)
    assert first.activation == "relu"
    assert last.activation is None
    assert torch.allclose(last.output, module.twice(first.after))
    with pytest.raises(UnfitOption, match="--call 3: layer 'twice' runs 2 times"):
        captured(module, images, "twice", call=3)


def test_a_shared_relu_shows_the_call_that_was_asked_for(images):
    module = torchvision.models.resnet18()
    calls = [captured(module, images, "layer1.0.relu", call=call) for call in (1, 2)]
    assert all(torch.equal(call.before.relu(), call.after) for call in calls)
    assert not torch.equal(calls[0].after, calls[1].after)


def test_tokens_are_laid_out_by_their_places():
    module = timm.create_model("test_vit", img_size=64, patch_size=8, num_classes=4)
    layer = find_layer(module, (3, 64, 64), "blocks.1.mlp.fc1")
    found = capture_layer(module, torch.randn(1, 3, 64, 64), layer)
    assert found.output.shape[2:] == (8, 8)
    assert torch.allclose(functional.gelu(found.before), found.after)


def test_a_single_bright_pixel_peaks_where_it_is():
    """A kernel that is one in its middle, with a stride: within half a stride."""
    conv = nn.Conv2d(1, 1, 5, stride=2, padding=2, bias=False)
    nn.init.dirac_(conv.weight)
    module = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    layer = find_layer(module, (1, 32, 32), "0")
    for row, column in ((8, 20), (0, 0), (30, 2)):
        image = torch.zeros(1, 1, 32, 32)
        image[0, 0, row, column] = 1
        peak = int(capture_layer(module, image, layer).output.argmax())
        there = [2 * (at + 0.5) for at in divmod(peak, 16)]
        assert abs(there[0] - (row + 0.5)) <= 1
        assert abs(there[1] - (column + 0.5)) <= 1


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(images, fails):
    module = WithFunctions().train()
    layer = find_layer(module, SIZE, "conv")
    before = fingerprint(module)
    if fails:
        with pytest.raises(Exception, match="forward"):
            capture_layer(module, images[:, :2], layer)
    else:
        capture_layer(module, images, layer)
    hooks, flags, state = fingerprint(module)
    assert (hooks, flags) == before[:2]
    assert all(torch.equal(state[name], values) for name, values in before[2].items())
    assert torch.overrides._get_current_function_mode() is None


def test_a_layer_without_places_leads_to_one_that_has(resnet):
    with pytest.raises(UnfitLayer, match="'fc' has no map of places: it puts out 4 values") as said:
        find_layer_or_name_one(resnet, SIZE, "fc")
    named = said.value.hint.removeprefix("--layer ").removesuffix(" has places")
    assert find_layer(resnet, SIZE, named).name == named


def test_a_layer_that_does_not_exist_leads_to_one_called_alike(resnet):
    with pytest.raises(UnfitLayer, match=r"no layer 'layer1\.0\.conv'") as said:
        find_layer_or_name_one(resnet, SIZE, "layer1.0.conv")
    assert "layer1.0.conv1" in said.value.hint


def test_values_that_are_not_finite_are_refused(images):
    module = WithFunctions().eval()
    with torch.no_grad():
        module.conv.bias[0] = float("nan")
    with pytest.raises(UnfitModel, match="layer 'conv' puts out values that are not finite"):
        captured(module, images, "conv")


class Awkward(nn.Module):
    """Hides what follows a layer: in place, behind a reshape, a clamp, a branch, a product."""

    def __init__(self):
        super().__init__()
        self.clamped = nn.Conv2d(3, 4, 3, padding=1)
        self.doubled = nn.Conv2d(4, 4, 1)
        self.gate = nn.Conv2d(4, 4, 1)
        self.added = nn.Conv2d(4, 4, 1)
        self.folded = nn.Conv2d(4, 4, 1)
        self.kept = nn.Identity()

    def forward(self, x):
        x = self.kept(self.clamped(x).clamp(min=0, max=6))
        x = torch.relu(self.doubled(x).mul_(2))
        x = x * self.gate(x).sigmoid()
        x = self.added(x).add_(x).clamp_(min=0)
        return torch.relu(self.folded(x).flatten(1)).reshape(len(x), 4, -1).mean(dim=2)


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("clamped", "relu6"),
        ("doubled", "what it puts out goes into 'mul'"),
        ("gate", "sigmoid"),
        ("added", "its output is added to another, and relu follows that sum"),
        ("folded", "none was seen to follow"),
        ("kept", "what it puts out goes into 'convolution'"),  # the clamp before it is not its own
    ],
)
def test_what_is_hidden_is_told_as_it_is(images, name, activation):
    found = captured(Awkward(), images, name)
    assert activation in (found.activation, found.why_none.rpartition(": ")[2])


FAMILIES = [
    "resnet10t", "efficientnet_lite0", "mobilenetv3_small_050", "regnetx_002", "convnext_atto",
    "vit_tiny_patch16_224", "test_resnet",
]  # fmt: skip


def made(name):
    """Make a network of a family with weights at random, for small images."""
    if name == "densenet":
        return timm.models.densenet.DenseNet(8, (2, 2), num_classes=4)
    options = {"img_size": 32, "depth": 2} if name.startswith("vit") else {}
    return timm.create_model(name, num_classes=4, **options)


@pytest.mark.parametrize("name", [*FAMILIES, "densenet"])
def test_every_layer_has_the_activation_that_the_list_of_layers_says(name, images):
    """Those of a sum are listed as such; what only holds other layers is listed without one."""
    torch.manual_seed(0)
    module, size = made(name).eval(), SIZE
    model = ExplainedModel(module, size, torch.zeros(3), torch.ones(3))
    table = find_layers(model).table.set_index("layer")
    layers = [
        layer
        for layer in spatial_layers(module, size).values()
        if [*module.get_submodule(layer.name).parameters(recurse=False)]
    ]
    # The tail, where blocks end, and some of the many that are alike.
    layers = [*layers[:-6:3], *layers[-6:]]
    for layer in layers:
        found, listed = (
            capture_layer(module, images[:1], layer),
            table.loc[layer.name, "activation"],
        )
        if found.activation:
            assert listed == found.activation
            assert found.before.shape == found.after.shape == found.output.shape
        else:
            follows = f"{listed} follows that sum".replace(" of the sum", "")
            assert pd.isna(listed) or (listed.endswith("of the sum") and follows in found.why_none)

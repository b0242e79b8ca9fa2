import copy
import warnings

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from errlens.errors import NoSpatialLayer, UserCodeFailed
from errlens.network.filters.convolutions import find_convolutions

SIZE = (3, 16, 16)


def found(module, size=SIZE):
    return find_convolutions(module.eval(), size)


def only(module, size=SIZE):
    (one,) = found(module, size).layers
    return one


def trained_norm(channels):
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(-2, 2, channels))
        norm.running_var.uniform_(0.5, 2)
        norm.bias.normal_()
    return norm


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 5, 3, padding=1),
        nn.Conv2d(3, 6, (1, 5), stride=(1, 2)),
        nn.Conv2d(3, 6, 3, groups=3, dilation=2, padding="same"),
        nn.ConvTranspose2d(3, 4, 4, stride=2),
        nn.ConvTranspose2d(3, 6, (2, 3), stride=2, groups=3),
    ],
)
def test_filters_with_their_normalization_respond_as_both_layers_do(conv):
    norm = trained_norm(conv.out_channels)
    module = nn.Sequential(conv, norm, nn.ReLU()).double()
    one = only(module)
    assert (one.layer, one.norm[0], one.stride, one.dilation, one.groups) == (
        "0", "1", conv.stride, conv.dilation, conv.groups,
    )  # fmt: skip
    image = torch.randn(1, *SIZE, dtype=torch.double)
    with torch.no_grad():
        change = module[:2](image) - module[:2](torch.zeros_like(image))
    weight = torch.from_numpy(one.filters)
    assert len(weight) == conv.out_channels
    if one.transposed:  # back to how torch lays its weights out
        grouped = weight.reshape(one.groups, -1, *weight.shape[1:]).transpose(1, 2)
        weight = grouped.reshape(-1, *grouped.shape[2:])
        expected = functional.conv_transpose2d(
            image, weight, stride=conv.stride, groups=conv.groups
        )
    else:
        how = {"stride": conv.stride, "padding": conv.padding, "dilation": conv.dilation}
        expected = functional.conv2d(image, weight, groups=conv.groups, **how)
    torch.testing.assert_close(change, expected, atol=1e-9, rtol=1e-9)


def test_a_normalization_that_follows_something_else_is_left_alone():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), trained_norm(4))
    one = only(module)
    assert one.norm is None
    np.testing.assert_allclose(one.filters, module[0].weight.detach().numpy())


def test_weights_and_hooks_of_a_network_are_left_as_they_were():
    module = timm.create_model("test_resnet", num_classes=4).train()
    before = copy.deepcopy(module.state_dict())
    for one in find_convolutions(module, (3, 64, 64)).layers:
        assert np.isfinite(one.filters).all()
    assert module.training
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_each_layer_of_a_network_is_found_in_the_order_in_which_it_runs():
    module = timm.create_model("tf_efficientnet_lite0").eval()
    layers = found(module, (3, 64, 64)).layers
    expected = [name for name, part in module.named_modules() if isinstance(part, nn.Conv2d)]
    assert [one.layer for one in layers] == expected
    assert all(one.norm is not None for one in layers)
    assert layers[0].sees(3)
    assert not layers[1].sees(3)


def test_weights_are_those_in_use_where_a_layer_changes_them():
    standardized = timm.layers.StdConv2d(3, 4, 3)
    np.testing.assert_allclose(only(standardized).filters.mean(axis=(1, 2, 3)), 0, atol=1e-6)
    normed = parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    with torch.no_grad():
        normed.parametrizations.weight.original0.fill_(2.0)
    norms = np.sqrt(np.square(only(normed).filters).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, 2, rtol=1e-5)


class Odd(nn.Module):
    """Convolves by functions, twice, runs one layer twice and never another one."""

    def __init__(self):
        super().__init__()
        self.edges = nn.Parameter(torch.randn(3, 1, 3, 3))
        self.blur = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.again = nn.Conv2d(4, 4, 1)
        self.twin = nn.Conv2d(4, 4, 1)
        self.twin.weight = self.again.weight
        self.idle = nn.Conv2d(4, 4, 3)
        self.line = nn.Conv1d(4, 4, 3)

    def forward(self, images):
        images = functional.conv2d(images, self.edges, groups=3)
        images = functional.conv2d(input=images, weight=self.blur, stride=2)
        images = self.twin(self.again(self.again(images)))
        return self.line(images.flatten(2)).mean(dim=2)


def test_functions_shared_weights_and_layers_that_do_not_run_are_told():
    result = found(Odd())
    assert [(one.layer, one.stride, one.groups) for one in result.layers] == [
        ("", (1, 1), 3), ("", (2, 2), 1), ("again", (1, 1), 1), ("twin", (1, 1), 1),
    ]  # fmt: skip
    assert result.of_other_maps == ["line"]
    assert result.idle == ["idle"]


def test_a_quantized_network_has_the_filters_that_its_integers_stand_for():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.ao.nn.quantized import Conv2d

        layer = Conv2d(3, 4, 3)
        weight = torch.randn(4, 3, 3, 3)
        layer.set_weight_bias(torch.quantize_per_tensor(weight, 0.05, 0, torch.qint8), None)
        module = nn.Sequential(torch.ao.nn.quantized.Quantize(0.02, 64, torch.quint8), layer)
        one = only(module)
    np.testing.assert_allclose(one.filters, weight.numpy(), atol=0.026)


def test_half_precision_and_other_layouts_are_read():
    module = nn.Conv2d(3, 4, 3).bfloat16().to(memory_format=torch.channels_last)
    np.testing.assert_allclose(only(module).filters, module.weight.detach().double().numpy())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")
def test_scripts_are_refused_and_what_a_network_raises_is_told():
    script = torch.jit.script(nn.Conv2d(3, 4, 3).eval())
    with pytest.raises(NoSpatialLayer, match=r"script of torch\.jit"):
        found(nn.Sequential(script))
    with pytest.raises(UserCodeFailed):
        found(nn.Conv2d(5, 4, 3))


def test_a_network_without_convolutions_has_none():
    assert found(nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))).layers == []

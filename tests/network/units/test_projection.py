"""Units carried back to the pixels, against witnesses that do it in another way."""

import warnings

import captum.attr
import numpy as np
import pytest
import timm
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, max_pool2d, relu
from torch.nn.grad import conv2d_input

from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import UnfitMethod, UnfitOption
from errlens.network.units.layers import unit_layers
from errlens.network.units.projection import choose_projection, projecting, remark_of
from errlens.network.units.scores import Unit
from tests.network.units.networks import classifier_of

SIDE = 32


@pytest.fixture(scope="module")
def vgg():
    torch.manual_seed(0)
    return timm.create_model("vgg11", pretrained=False, num_classes=5).eval()


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return timm.create_model("resnet18", pretrained=False, num_classes=5).eval()


def image(side=SIDE, seed=1):
    return torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(seed))


def strongest(module, layer, x):
    """Return the strongest unit of a layer and its value, by a hook of our own."""
    kept = []
    handle = module.get_submodule(layer).register_forward_hook(
        lambda _m, _i, out: kept.append(out.detach().clone())
    )
    with torch.no_grad():
        module(x)
    handle.remove()
    flat = kept[-1][0].flatten(1)
    channel, place = divmod(int(flat.argmax()), flat.shape[1])
    return Unit(layer, channel, place), float(flat.max()), kept[-1].shape[3]


def projected(module, layer, unit, x, method="deconvnet"):
    classifier = classifier_of(module, side=x.shape[-1])
    layers = unit_layers(module, tuple(x.shape[1:]), [layer])
    with projecting(classifier, layers, method) as project:
        return project(x, [unit])[0]


def by_captum(kind, module, layer, unit, columns, x):
    method = kind(module, module.get_submodule(layer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        where = (unit.channel, *divmod(unit.place, columns))
        return method.attribute(x.clone().requires_grad_(), where)[0].detach()


def close(one, other, tolerance):
    scale = float(other.abs().max())
    assert scale > 0
    assert float((one - other).abs().max()) <= tolerance * scale


def by_explicit_switches(module, until, unit, x):
    """Zeiler and Fergus by hand: switches, rectified signals, transposed filters."""
    steps, values = [], x
    for layer in list(module.features)[: until + 1]:
        steps.append((layer, values))
        values = layer(values.clone())
    signal = torch.zeros_like(values)
    signal.flatten(2)[0, unit.channel, unit.place] = values.flatten(2)[0, unit.channel, unit.place]
    for layer, given in reversed(steps):
        if isinstance(layer, nn.ReLU):
            signal = relu(signal)
        elif isinstance(layer, nn.MaxPool2d):
            _, switches = max_pool2d(given, layer.kernel_size, layer.stride, return_indices=True)
            signal = (
                torch.zeros_like(given)
                .flatten(2)
                .scatter_add_(2, switches.flatten(2), signal.flatten(2))
                .reshape(given.shape)
            )
        else:
            signal = conv2d_input(
                given.shape, layer.weight, signal, layer.stride, layer.padding, layer.dilation
            )
    return signal[0].detach()


@torch.no_grad()
def test_a_deconvnet_by_explicit_switches_gives_the_same(vgg):
    x = image()
    unit, _, _ = strongest(vgg, "features.9", x)
    close(projected(vgg, "features.9", unit, x), by_explicit_switches(vgg, 9, unit, x), 1e-6)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("deconvnet", captum.attr.NeuronDeconvolution),
        ("guided-backprop", captum.attr.NeuronGuidedBackprop),
    ],
)
def test_it_is_the_activation_times_what_captum_gives_a_unit(vgg, method, kind):
    x = image()
    unit, value, columns = strongest(vgg, "features.10", x)
    theirs = value * by_captum(kind, vgg, "features.10", unit, columns, x)
    close(projected(vgg, "features.10", unit, x, method), theirs, 1e-6)


def test_overlapping_pools_add_up_where_they_share_a_switch():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(4, 5, 3))
    x = image(20)
    unit, value, _ = strongest(module, "3", x)
    with torch.no_grad():
        before = relu(module[0](x))
        pooled, switches = max_pool2d(before, 3, 2, return_indices=True)
        top = torch.zeros_like(module[3](pooled))
        top.flatten(2)[0, unit.channel, unit.place] = value
        signal = conv2d_input(pooled.shape, module[3].weight, top)
        unpooled = torch.zeros_like(before).flatten(2)
        unpooled.scatter_add_(2, switches.flatten(2), signal.flatten(2))
        by_hand = conv_transpose2d(relu(unpooled.reshape(before.shape)), module[0].weight)
    assert len(switches.flatten(2)[0, 0].unique()) < switches.flatten(2).shape[2]  # some are shared
    close(projected(module, "3", unit, x), by_hand[0], 1e-6)


def test_a_resnet_is_that_of_captum_though_its_rectifiers_are_shared_and_in_place(resnet):
    x = image(64)
    unit, value, columns = strongest(resnet, "layer2", x)
    theirs = value * by_captum(captum.attr.NeuronDeconvolution, resnet, "layer2", unit, columns, x)
    close(projected(resnet, "layer2", unit, x), theirs, 1e-5)


def test_without_rectifiers_it_is_activation_times_gradient_and_zero_outside_of_what_it_sees():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3, stride=2))
    x = image().requires_grad_()
    out = module(x)
    value = out[0, 2, 4, 6]
    (gradient,) = torch.autograd.grad(value, x)
    unit = Unit("1", 2, 4 * out.shape[3] + 6)
    ours = projected(module, "1", unit, x.detach())
    close(ours, (value * gradient)[0].detach(), 1e-6)
    outside = ours.clone()
    outside[:, 8:13, 12:17] = 0  # 5 x 5 pixels, two apart from unit to unit
    assert not outside.any()


@pytest.mark.parametrize("method", ["gradient-x-input", "lrp"])
def test_shares_of_a_unit_without_biases_add_up_to_its_value(method):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Conv2d(4, 5, 3, bias=False)
    )
    x = image()
    unit, value, _ = strongest(module, "2", x)
    shares = projected(module, "2", unit, x, method)
    assert shares.shape == (1, SIDE, SIDE)
    assert float(shares.sum()) == pytest.approx(value, rel=1e-4)


def test_units_of_several_layers_share_a_run_and_do_not_disturb_each_other(vgg):
    x = image()
    names = ["features.1", "features.10"]
    units = [strongest(vgg, name, x)[0] for name in names]
    layers = unit_layers(vgg, (3, SIDE, SIDE), names)
    with projecting(classifier_of(vgg, side=SIDE), layers, "deconvnet") as project:
        both = project(x, units)
    for name, unit, ours in zip(names, units, both, strict=True):
        assert torch.equal(ours, projected(vgg, name, unit, x))


def test_noise_outside_of_the_receptive_field_leaves_a_unit_and_its_projection_as_they_are(vgg):
    x = image(64)
    unit = Unit("features.3", 3, 8 * 32 + 8)  # two convolutions and a pool: 10 x 10 pixels
    noisy = torch.randn_like(x)
    noisy[:, :, 8:32, 8:32] = x[:, :, 8:32, 8:32]
    ours, theirs = (projected(vgg, "features.3", unit, each) for each in (x, noisy))
    assert ours.any()
    assert torch.equal(ours, theirs)


def test_a_network_is_given_back_as_it_was(vgg):
    x = image()
    vgg.train()
    before = {name: value.clone() for name, value in vgg.state_dict().items()}
    try:
        projected(vgg, "features.10", Unit("features.10", 0, 0), x)
        assert vgg.training
    finally:
        vgg.eval()
    assert all(weight.requires_grad and weight.grad is None for weight in vgg.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in vgg.modules())
    assert all(torch.equal(value, before[name]) for name, value in vgg.state_dict().items())


def test_a_network_is_given_back_also_where_it_raises(vgg):
    classifier = classifier_of(vgg, side=SIDE)
    layers = unit_layers(vgg, (3, SIDE, SIDE), ["features.10"])
    with (
        pytest.raises(KeyboardInterrupt),
        projecting(classifier, layers, "deconvnet"),
    ):
        raise KeyboardInterrupt
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in vgg.modules())


def model_of(module, side=SIDE):
    return ExplainedModel.of(classifier_of(module, side=side))


def net(*middle):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), *middle, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).eval()


def test_the_first_projection_that_fits_is_taken():
    pooled = net(nn.ReLU(), nn.MaxPool2d(2))
    assert choose_projection(model_of(pooled), None) == "deconvnet"
    assert choose_projection(model_of(net(nn.ReLU())), None) == "guided-backprop"
    assert choose_projection(model_of(net(nn.GELU())), None) == "gradient-x-input"


def test_one_that_cannot_be_honest_is_refused_and_another_named():
    with pytest.raises(UnfitMethod, match="deconvnet cannot explain this network: no rect") as said:
        choose_projection(model_of(net(nn.SiLU())), "deconvnet")
    assert said.value.hint == "--projection gradient-x-input"


def test_where_there_is_no_gradient_patches_alone_are_offered():
    class Silent(nn.Sequential):
        @torch.no_grad()
        def forward(self, images):
            return super().forward(images)

    with pytest.raises(UnfitOption, match="no projection fits") as said:
        choose_projection(model_of(Silent(*net(nn.ReLU()))), None)
    assert "--projection none" in said.value.hint


def test_a_layer_whose_projections_know_of_no_image_is_remarked_on(vgg):
    classifier = classifier_of(vgg, side=SIDE)
    layers = unit_layers(vgg, (3, SIDE, SIDE), ["features.0", "features.1", "features.3"])
    said = [remark_of(classifier, layer, "deconvnet") for layer in layers]
    assert said[0].startswith("no rectifier")
    assert said[1].startswith("no max pooling")
    assert said[2] is None
    x = image(), image(seed=2)
    ours = [projected(vgg, "features.0", Unit("features.0", 3, 40), each) for each in x]
    same = [each / each.abs().max() * np.sign(float(each.sum())) for each in ours]
    assert torch.allclose(*same, atol=1e-5)


def test_a_unit_at_the_upper_limit_of_its_activation_still_has_a_projection():
    torch.manual_seed(0)
    module = net(nn.ReLU6(inplace=True))
    with torch.no_grad():
        module[0].weight.mul_(50)
    (layer,) = unit_layers(module, (3, SIDE, SIDE), ["1"])
    assert layer.limit == "1"
    x = image()
    values = conv2d(x, module[0].weight, module[0].bias)[0]
    place = int(values[2].argmax())
    assert float(values[2].detach().max()) > 6
    assert projected(module, "1", Unit("1", 2, place), x, "guided-backprop").any()

"""Grad-CAM against what is known of pooled networks, and against captum."""

import captum.attr
import pytest
import timm
import torch

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import grad_cam
from tests.attribution.networks import explained, targets

WANTED = targets([0], [3])
LABEL = torch.tensor([0, 3])


def network(name, **arguments):
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False, num_classes=5, **arguments).eval()


def photos(height, width):
    torch.manual_seed(1)
    return torch.randn(2, 3, height, width)


def maps_of(module, images, **options):
    size = tuple(images.shape[1:])
    return explained(grad_cam, module, images, WANTED, MethodSettings(), size=size, **options)


def test_with_average_pooling_and_a_linear_head_it_is_the_class_activation_map():
    module, images = network("test_resnet"), photos(96, 128)
    maps = maps_of(module, images)
    kept = []
    module.layer4.register_forward_hook(lambda *one: kept.append(one[-1]))
    with torch.no_grad():
        logits = module(images)
    weight = module.fc.weight[LABEL][:, :, None, None].detach()
    rows, columns = kept[0].shape[2:]
    known = (weight * kept[0]).sum(dim=1) / (rows * columns)
    torch.testing.assert_close(maps.values[:, 0], known, atol=1e-5, rtol=0)
    total = maps.values[:, 0].sum(dim=(1, 2))
    expected = logits.gather(1, LABEL[:, None])[:, 0] - module.fc.bias.detach()[LABEL]
    torch.testing.assert_close(total, expected, atol=1e-5, rtol=0)
    assert maps.layer == "layer4"


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext"])
def test_it_is_captums_where_channels_come_first(name):
    module, images = network(name), photos(96, 96)
    maps = maps_of(module, images)
    layer = module.get_submodule(maps.layer)
    theirs = captum.attr.LayerGradCam(module, layer).attribute(images, target=LABEL)
    torch.testing.assert_close(maps.values, theirs.detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "arguments", "height", "width", "grid"),
    [
        ("test_vit", {"img_size": (40, 56), "patch_size": 4}, 40, 56, (10, 14)),
        ("test_vit", {"img_size": (40, 56), "patch_size": 4, "reg_tokens": 4}, 40, 56, (10, 14)),
        ("test_mambaout", {}, 96, 128, (3, 4)),
        ("test_maxvit", {}, 160, 160, (5, 5)),
    ],
)
def test_maps_have_the_grid_of_the_layer(name, arguments, height, width, grid):
    maps = maps_of(network(name, **arguments), photos(height, width))
    assert maps.values.shape == (2, 1, *grid)
    assert maps.values.isfinite().all()
    assert maps.values.abs().sum(dim=(2, 3)).gt(0).all()


def test_a_layer_after_which_only_the_class_token_counts_has_no_map():
    module = network("test_vit", img_size=64, patch_size=8)
    maps = maps_of(module, photos(64, 64), layer="blocks.5")
    assert maps.values.isnan().all()
    assert "gradient is zero" in maps.why_none


def test_another_layer_may_be_looked_at():
    maps = maps_of(network("test_resnet"), photos(96, 96), layer="layer2")
    assert maps.values.shape == (2, 1, 12, 12)
    assert maps.layer == "layer2"

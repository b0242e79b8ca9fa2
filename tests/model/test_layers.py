"""The last map of networks of many kinds: where it is, and that its places are where they seem."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from errlens.errors import NoSpatialLayer, UnfitLayer
from errlens.model.layers import SpatialLayer, find_layer

SHALLOW = {"depths": (1, 1, 1, 1), "embed_dim": 48}
# A timm name, its arguments, the input, and the layer expected.
KNOWN = [
    ("test_resnet", {}, 128, ("layer4", "NCHW", (4, 4))),
    ("test_resnet", {"output_stride": 16}, 64, ("layer4", "NCHW", (4, 4))),
    ("test_efficientnet", {}, 128, ("bn2", "NCHW", (4, 4))),
    ("mobilenetv3_small_050", {}, 128, ("blocks", "NCHW", (4, 4))),
    ("test_convnext", {}, 128, ("stages", "NCHW", (4, 4))),
    ("densenet121", {"growth_rate": 8, "block_config": (2, 2, 2, 2)}, 128,
     ("features", "NCHW", (4, 4))),
    ("vgg11_bn", {"mlp_ratio": 0.05}, 224, ("features", "NCHW", (7, 7))),
    ("regnetx_002", {}, 128, ("s4", "NCHW", (4, 4))),
    ("test_nfnet", {}, 128, ("final_act", "NCHW", (4, 4))),
    ("test_maxvit", {}, 160, ("norm", "NCHW", (5, 5))),
    ("test_coatnet", {}, 160, ("norm", "NCHW", (5, 5))),
    ("test_mambaout", {}, 128, ("stages", "NHWC", (4, 4))),
    ("swin_tiny_patch4_window7_224", SHALLOW, 224, ("norm", "NHWC", (7, 7))),
    ("swinv2_tiny_window8_256", SHALLOW, 256, ("norm", "NHWC", (8, 8))),
    ("test_vit", {"img_size": 64, "patch_size": 8}, 64, ("blocks.5.norm1", "tokens", (8, 8), 1)),
    ("deit_tiny_distilled_patch16_224", {"depth": 2}, 224,
     ("blocks.1.norm1", "tokens", (14, 14), 2)),
]  # fmt: skip

WIDE = {"img_size": (40, 56), "patch_size": 4}
TOKENS = [
    ({}, ("blocks.5.norm1", "tokens", (10, 14), 1)),
    ({"reg_tokens": 4}, ("blocks.5.norm1", "tokens", (10, 14), 5)),
    ({"class_token": False, "global_pool": "avg"}, ("blocks", "tokens", (10, 14), 0)),
    ({"global_pool": "avg"}, ("blocks", "tokens", (10, 14), 1)),
    ({"global_pool": "map"}, ("norm", "tokens", (10, 14), 1)),
]  # fmt: skip


def network(name, **arguments):
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False, num_classes=7, **arguments).eval()


def maps_of(module, layer, images):
    kept = []
    handle = module.get_submodule(layer.name).register_forward_hook(
        lambda _layer, _inputs, output: kept.append(output)
    )
    with torch.no_grad():
        module(images)
    handle.remove()
    return layer.as_maps(kept[-1])


def check_places(module, layer, size):
    """A change in one corner of the image changes the map most in this corner."""
    torch.manual_seed(1)
    image = torch.randn(1, *size)
    _, height, width = size
    before = maps_of(module, layer, image)
    assert before.shape[2:] == layer.grid
    for top in (False, True):
        for left in (False, True):
            other = image.clone()
            rows = slice(0, height // 4) if top else slice(-height // 4, None)
            columns = slice(0, width // 4) if left else slice(-width // 4, None)
            other[:, :, rows, columns] = torch.randn_like(other[:, :, rows, columns]) * 4
            change = (maps_of(module, layer, other) - before).abs().sum(dim=(0, 1))
            row, column = divmod(int(change.argmax()), layer.grid[1])
            assert (row < layer.grid[0] / 2) == top
            assert (column < layer.grid[1] / 2) == left


@pytest.mark.parametrize(("name", "arguments", "side", "expected"), KNOWN, ids=str)
def test_the_last_map_is_found_and_its_places_are_those_of_the_image(
    name, arguments, side, expected
):
    module, size = network(name, **arguments), (3, side, side)
    layer = find_layer(module, size)
    assert layer == SpatialLayer(*expected)
    check_places(module, layer, size)


@pytest.mark.parametrize(("arguments", "expected"), TOKENS, ids=str)
def test_tokens_are_places_of_a_grid_that_is_no_square(arguments, expected):
    module, size = network("test_vit", **WIDE, **arguments), (3, 40, 56)
    layer = find_layer(module, size)
    assert layer == SpatialLayer(*expected)
    check_places(module, layer, size)


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_a_place_is_read_where_it_is(prefix):
    layer = SpatialLayer("x", "tokens", (10, 14), prefix)
    tokens = torch.zeros(2, prefix + 140, 3)
    tokens[1, prefix + 4 * 14 + 9, 2] = 1.0
    assert layer.as_maps(tokens).shape == (2, 3, 10, 14)
    assert layer.as_maps(tokens).nonzero().tolist() == [[1, 2, 4, 9]]
    last = SpatialLayer("x", "NHWC", (4, 5)).as_maps(torch.arange(120.0).reshape(2, 4, 5, 3))
    assert last[1, 2, 3, 4] == 119


def test_a_mixer_of_tokens_has_a_map():
    """Its first layer mixes all places, so that only the grid can be looked at."""
    layer = find_layer(network("mixer_s32_224"), (3, 224, 224))
    assert layer == SpatialLayer("norm", "tokens", (7, 7))


def test_an_activation_in_place_is_part_of_the_map():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Identity(), nn.Flatten(), nn.Linear(784, 2)
    )
    assert find_layer(module, (3, 16, 16)).name == "1"


def test_torchvisions_networks_are_found_or_refused():
    size = (3, 224, 224)
    expected = {"resnet18": ("layer4", "NCHW"), "swin_t": ("norm", "NHWC")}
    for name, (layer, layout) in expected.items():
        found = find_layer(torchvision.models.get_model(name, weights=None), size)
        assert found == SpatialLayer(layer, layout, (7, 7))
    with pytest.raises(NoSpatialLayer, match="become tokens"):
        find_layer(torchvision.models.get_model("vit_b_32", weights=None), size)


def test_a_layer_of_the_users_choice():
    module = network("test_resnet")
    assert find_layer(module, (3, 64, 96), "layer2") == SpatialLayer("layer2", "NCHW", (8, 12))
    with pytest.raises(UnfitLayer, match="no layer 'layer22'") as failure:
        find_layer(module, (3, 64, 64), "layer22")
    assert "layer2" in failure.value.hint
    with pytest.raises(UnfitLayer, match="has no map of places: it puts out 7 values"):
        find_layer(module, (3, 64, 64), "fc")


def test_a_layer_that_does_not_run_is_told():
    module = network("test_resnet")
    module.idle = nn.Conv2d(3, 3, 3)
    with pytest.raises(UnfitLayer, match="does not run"):
        find_layer(module, (3, 64, 64), "idle")


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8), nn.ReLU(), nn.Linear(8, 2)),
        nn.Sequential(nn.Conv2d(3, 4, 16), nn.Flatten(), nn.Linear(4, 2)),
    ],
)
def test_a_network_without_a_map_is_refused(module):
    with pytest.raises(NoSpatialLayer, match="none of its layers"):
        find_layer(module, (3, 16, 16))


def test_the_network_is_left_as_it_was():
    module = network("test_resnet").train()
    module.layer1.eval()
    modes = [part.training for part in module.modules()]
    before = {name: one.clone() for name, one in module.state_dict().items()}
    find_layer(module, (3, 64, 64))
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())

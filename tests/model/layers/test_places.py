"""The last map of networks of many kinds: where it is, and that its places are where they seem."""

import pytest
import timm
import torch
import torchvision
from timm.models.vision_transformer import ResPostBlock
from torch import nn
from torchvision.models.swin_transformer import (
    PatchMergingV2,
    SwinTransformer,
    SwinTransformerBlockV2,
)

from errlens.errors import NoSpatialLayer, UnfitLayer, UserCodeFailed
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.layers.runs import Run
from errlens.model.layers.tokens import Places

SHALLOW = {"depths": (1, 1, 1, 1), "embed_dim": 48}
# A timm name, its arguments, the input, and the layer expected.
KNOWN = [
    ("test_resnet", {}, 128, ("layer4", "NCHW", (4, 4))),
    ("test_resnet", {"output_stride": 16}, 64, ("layer4", "NCHW", (4, 4))),
    ("test_efficientnet", {}, 128, ("bn2", "NCHW", (4, 4))),
    ("test_efficientnet_ln", {}, 160, ("bn2", "NCHW", (5, 5))),
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
    ("cait_xxs24_224", {"depth": 1}, 224, ("blocks_token_only.1.norm1", "tokens", (14, 14), 1)),
    ("vit_small_patch16_18x2_224", {"depth": 2}, 224, ("blocks.0", "tokens", (14, 14), 1)),
]  # fmt: skip

WIDE = {"img_size": (40, 56), "patch_size": 4}
TOKENS = [
    ({}, ("blocks.5.norm1", "tokens", (10, 14), 1)),
    ({"reg_tokens": 4}, ("blocks.5.norm1", "tokens", (10, 14), 5)),
    ({"class_token": False, "global_pool": "avg"}, ("blocks", "tokens", (10, 14), 0)),
    ({"global_pool": "avg"}, ("blocks", "tokens", (10, 14), 1)),
    # Its norm1 follows the attention: nothing looks at its places.
    ({"block_fn": ResPostBlock}, ("blocks.4", "tokens", (10, 14), 1)),
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


@pytest.mark.parametrize(("arguments", "expected"), TOKENS, ids=str)
def test_the_score_depends_on_the_places_of_the_layer(arguments, expected):
    """And on each of them: after the last attention it depends on the class token alone."""
    module = network("test_vit", **WIDE, **arguments)
    layer = SpatialLayer(*expected)
    kept = []
    module.get_submodule(layer.name).register_forward_hook(lambda *one: kept.append(one[-1]))
    torch.manual_seed(1)
    score = module(torch.randn(1, 3, 40, 56))[0, 3]
    slopes = layer.as_maps(torch.autograd.grad(score, kept[-1])[0])
    assert slopes.abs().sum(dim=1).gt(0).all()


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_a_place_is_read_where_it_is(prefix):
    layer = SpatialLayer("x", "tokens", (10, 14), prefix)
    tokens = torch.zeros(2, prefix + 140, 3)
    tokens[1, prefix + 4 * 14 + 9, 2] = 1.0
    assert layer.as_maps(tokens).shape == (2, 3, 10, 14)
    assert layer.as_maps(tokens).nonzero().tolist() == [[1, 2, 4, 9]]
    last = SpatialLayer("x", "NHWC", (4, 5)).as_maps(torch.arange(120.0).reshape(2, 4, 5, 3))
    assert last[1, 2, 3, 4] == 119


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_a_logit_that_reads_one_token_leads_back_to_its_patch(prefix):
    """With identities for blocks the place in the image is known exactly."""
    kinds = {0: {"class_token": False, "global_pool": "avg"}, 1: {}, 5: {"reg_tokens": 4}}
    module = network("test_vit", **WIDE, **kinds[prefix])
    module.blocks = nn.Sequential(nn.Identity())
    layer = find_layer(module, (3, 40, 56), "blocks")
    assert layer == SpatialLayer("blocks", "tokens", (10, 14), prefix)
    image = torch.randn(1, 3, 40, 56, requires_grad=True)
    kept = []
    module.blocks.register_forward_hook(lambda *one: kept.append(one[-1]))
    module(image)
    slopes = torch.autograd.grad(layer.as_maps(kept[-1])[0, :, 4, 9].square().sum(), image)[0]
    rows, columns = (axis.unique().tolist() for axis in slopes[0].sum(dim=0).nonzero().T)
    assert rows == list(range(16, 20))
    assert columns == list(range(36, 40))


@pytest.mark.parametrize("size", [(3, 32, 128), (3, 80, 48)])
def test_the_grid_is_that_of_the_input_where_a_network_takes_many(size):
    """The first has as many patches as the size it was built for, in other rows."""
    module = network("test_vit", img_size=64, patch_size=8, dynamic_img_size=True)
    layer = find_layer(module, size)
    assert layer == SpatialLayer("blocks.5.norm1", "tokens", (size[1] // 8, size[2] // 8), 1)
    check_places(module, layer, size)


def test_a_mixer_of_tokens_has_a_map():
    """Its first layer mixes all places, so that only the grid can be looked at."""
    layer = find_layer(network("mixer_s32_224"), (3, 224, 224))
    assert layer == SpatialLayer("norm", "tokens", (7, 7))


def test_an_activation_in_place_is_part_of_the_map():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Identity(), nn.Flatten(), nn.Linear(784, 2)
    )
    assert find_layer(module, (3, 16, 16)).name == "1"


class Again(nn.Module):
    """Its activation runs on the map, and then on vectors."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.hidden, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, images):
        pooled = self.act(self.conv(images)).mean(dim=(2, 3))
        return self.head(self.act(self.hidden(pooled)))


def test_of_a_layer_that_runs_again_the_last_output_counts():
    module, size = Again().eval(), (3, 16, 24)
    layer = find_layer(module, size)
    assert layer == SpatialLayer("conv", "NCHW", (14, 22))
    check_places(module, layer, size)
    with pytest.raises(UnfitLayer, match="has no map of places: it puts out 4 values"):
        find_layer(module, size, "act")


class Joined(nn.Module):
    """What it puts out has another shape than any layer in it."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(3, 5, 3, stride=2)

    def forward(self, images):
        return torch.cat([self.left(images), self.right(images)], dim=1)


def test_branches_that_are_joined_are_a_map():
    module = nn.Sequential(Joined(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 2))
    assert find_layer(module, (3, 17, 17)) == SpatialLayer("0", "NCHW", (8, 8))


def test_with_as_many_channels_as_rows_the_layout_is_never_guessed():
    """A convnext of 24 channels at 24 rows: its blocks work channels last and give them first."""
    module, size = network("test_convnext", dims=(24, 32, 48, 64)), (3, 96, 96)
    with pytest.raises(UnfitLayer, match=r"channels of layer 'stages.0' are cannot be told"):
        find_layer(module, size, "stages.0")
    known = {"stages.0.blocks.0.conv_dw": "NCHW", "stages.0.blocks.0.norm": "NHWC"}
    for name, layout in known.items():
        assert find_layer(module, size, name) == SpatialLayer(name, layout, (24, 24))
    # Not even where a number of channels is the width of the output, as for this pooling.
    pooled = find_layer(network("test_resnet"), (3, 384, 384), "maxpool")
    assert pooled == SpatialLayer("maxpool", "NCHW", (96, 96))


@pytest.mark.parametrize("name", ["pit_ti_224", "levit_128s"])
def test_tokens_of_unknown_places_are_refused(name):
    with pytest.raises(NoSpatialLayer, match="become tokens"):
        find_layer(network(name), (3, 224, 224))


def test_what_pools_by_attention_is_no_map():
    pooling = timm.layers.AttentionPool2d(8, out_features=2, feat_size=4, num_heads=2)
    module = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(), pooling)
    assert find_layer(module, (3, 16, 16)) == SpatialLayer("1", "NCHW", (4, 4))


def test_torchvisions_networks_are_found():
    for name, layer in (("resnet18", "layer4"), ("shufflenet_v2_x0_5", "conv5")):
        module = torchvision.models.get_model(name, weights=None)
        assert find_layer(module, (3, 224, 224)) == SpatialLayer(layer, "NCHW", (7, 7))


@pytest.mark.parametrize("version", [{}, {"block": SwinTransformerBlockV2}], ids=["v1", "v2"])
def test_torchvisions_swin_has_its_channels_last(version):
    merging = {"downsample_layer": PatchMergingV2} if version else {}
    torch.manual_seed(0)
    module = SwinTransformer(
        [4, 4], 24, [1, 2], [2, 2], [4, 4], num_classes=7, **version, **merging
    ).eval()
    layer = find_layer(module, (3, 64, 96))
    assert layer == SpatialLayer("norm", "NHWC", (8, 12))
    check_places(module, layer, (3, 64, 96))


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
    ("module", "why"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(768, 8), nn.ReLU(), nn.Linear(8, 2)), "vectors"),
        (nn.Sequential(nn.Conv2d(3, 4, 16), nn.Flatten(), nn.Linear(4, 2)), "one place each"),
    ],
)
def test_a_network_without_a_map_is_refused(module, why):
    with pytest.raises(NoSpatialLayer, match=f"none of its layers has a map of places: .*{why}"):
        find_layer(module, (3, 16, 16))


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("frozen", [False, True])
def test_scripted_code_is_not_looked_into(frozen):
    inner = torch.jit.script(nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()).eval())
    inner = torch.jit.freeze(inner) if frozen else inner
    with pytest.raises(NoSpatialLayer, match="a script"):
        find_layer(inner, (4, 32, 32))
    around = nn.Sequential(nn.Conv2d(3, 4, 3), inner, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert find_layer(around, (3, 32, 32)) == SpatialLayer("0", "NCHW", (30, 30))


def test_the_network_is_left_as_it_was():
    module = network("test_resnet").train()
    module.layer1.eval()
    module.conv1.requires_grad_(requires_grad=False)
    flags = [parameter.requires_grad for parameter in module.parameters()]
    modes = [part.training for part in module.modules()]
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    find_layer(module, (3, 64, 64))
    assert [part.training for part in module.modules()] == modes
    assert [parameter.requires_grad for parameter in module.parameters()] == flags
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())


def test_the_network_is_left_as_it_was_where_it_fails():
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 14 * 14, 2))
    with pytest.raises(UserCodeFailed, match="shapes"):
        find_layer(module, (3, 20, 20))
    assert all(part.training for part in module.modules())
    assert not any(part._forward_hooks for part in module.modules())


def test_as_many_channels_as_tokens_are_no_attention():
    """A hybrid whose map of 8 x 8 places has 64 channels, last, and then 64 tokens."""
    run = Run(tokens={64: Places((8, 8), 0), 65: Places((8, 8), 1)})
    assert run.has_places((2, 8, 8, 64))
    assert run.has_places((2, 16, 16, 64))
    assert run.has_places((2, 64, 8, 8))
    attention = [(2, 3, 64, 64), (2, 3, 65, 65), (2, 3, 64, 32), (2, 3, 1, 65), (2, 8, 4, 64)]
    assert not any(run.has_places(shape) for shape in attention)

"""Which layers are probed, and what is read of them."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from errlens.errors import UnfitLayer
from errlens.network.probing.layers import MOST_LAYERS, all_layers, probed_layers

SIZE = (3, 64, 64)


def names(module):
    return [layer.name for layer in all_layers(module.eval(), SIZE)]


def test_all_are_the_stages_in_the_order_of_the_network():
    assert names(torchvision.models.resnet18(weights=None)) == [
        "bn1", "layer1", "layer2", "layer3", "layer4",
    ]  # fmt: skip
    lite = names(timm.create_model("tf_efficientnet_lite0"))
    assert lite == ["bn1", *(f"blocks.{at}" for at in range(7)), "bn2"]


def test_of_many_the_last_of_each_size_of_map_is_among_those_kept():
    vgg = names(torchvision.models.vgg11(weights=None))
    assert len(vgg) <= MOST_LAYERS
    transformer = timm.create_model("vit_tiny_patch16_224", img_size=64)
    assert names(transformer)[-1] == "blocks.11"


def test_layers_that_are_named_come_in_the_order_of_the_network_also_vectors():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).eval()
    found = probed_layers(module, SIZE, ["4", "0", "2", "0"])
    assert [layer.name for layer in found] == ["0", "2", "4"]
    maps = torch.arange(24.0).reshape(1, 4, 2, 3)
    assert found[0].means(maps).tolist() == [[2.5, 8.5, 14.5, 20.5]]
    assert found[2].means(torch.ones(1, 2)).tolist() == [[1, 1]]


@pytest.mark.parametrize(("name", "why"), [("conv", "no layer"), ("", "no layer")])
def test_a_layer_that_is_not_there_is_refused(name, why):
    with pytest.raises(UnfitLayer, match=why):
        probed_layers(nn.Sequential(nn.Conv2d(3, 4, 3)).eval(), SIZE, [name])

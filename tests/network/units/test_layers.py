"""Which layers have units to look at, and which channels are meant."""

import pytest
import timm
import torch
from torch import nn

from errlens.errors import UnfitLayer, UnfitOption
from errlens.network.units.layers import check_channels, drawn_channels, unit_layers

SIZE = (3, 32, 32)


class Twice(nn.Module):
    """Runs one layer two times."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.one = nn.Conv2d(3, 1, 3)
        self.head = nn.Linear(1, 2)

    def forward(self, images):
        return self.head(self.one(self.conv(self.conv(images))).mean((2, 3)))


@pytest.fixture(scope="module")
def twice():
    torch.manual_seed(0)
    return Twice().eval()


def test_without_names_the_last_layer_of_each_size_of_map_is_taken_four_at_most():
    resnet = timm.create_model("resnet18", pretrained=False)
    found = unit_layers(resnet, (3, 64, 64))
    assert [layer.name for layer in found] == ["layer1", "layer2", "layer3", "layer4"]
    assert [layer.channels for layer in found] == [64, 128, 256, 512]


def test_channels_last_and_tokens_are_counted_as_well():
    vit = timm.create_model("test_vit", pretrained=False, img_size=32)
    (layer,) = unit_layers(vit, SIZE, ["blocks.0"])
    assert (layer.channels, layer.spatial.layout) == (vit.embed_dim, "tokens")


def test_a_layer_that_runs_twice_says_so(twice):
    (layer,) = unit_layers(twice, SIZE, ["conv"])
    assert layer.calls == 2


def test_an_activation_with_an_upper_limit_is_looked_at_before_it_also_inside_of_a_layer():
    lite = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    bn, block = unit_layers(lite, SIZE, ["blocks.2.0.bn1", "blocks.2"])
    assert bn.limit == "blocks.2.0.bn1.act"
    assert block.limit is None  # it puts out a sum


def test_a_layer_without_places_is_refused(twice):
    with pytest.raises(UnfitLayer, match="'head' has no map of places: it puts out 2 values"):
        unit_layers(twice, SIZE, ["head"])


def test_a_name_that_is_none_is_refused_with_the_nearest(twice):
    with pytest.raises(UnfitLayer) as said:
        unit_layers(twice, SIZE, ["onee"])
    assert said.value.hint == "did you mean one?"


def test_a_channel_out_of_range_is_refused_and_counting_explained(twice):
    conv, one = unit_layers(twice, SIZE, ["conv", "one"])
    assert check_channels(conv, [2, 0, 2]).tolist() == [2, 0]
    with pytest.raises(UnfitOption, match="'conv' has no channel 3: it has 3 channels") as said:
        check_channels(conv, [1, 3])
    assert said.value.hint == "they count from 0: it has channels 0 to 2"
    with pytest.raises(UnfitOption, match="has no channel 1: it has 1 channel") as said:
        check_channels(one, [1])
    assert said.value.hint == "they count from 0: it has channel 0 alone"


def test_channels_are_drawn_anew_with_another_seed_and_all_taken_of_few(twice):
    wide = unit_layers(timm.create_model("resnet18", pretrained=False), (3, 64, 64), ["layer4"])[0]
    drawn = [drawn_channels(wide, 16, seed=seed).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 16
    assert drawn_channels(unit_layers(twice, SIZE, ["one"])[0], 16, seed=0).tolist() == [0]

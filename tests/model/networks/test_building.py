from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch

from errlens.errors import IncompatibleCheckpoint, UnfitModel, UnfitOption
from errlens.model.networks.building import build_for, check_size, last_linear
from errlens.model.networks.sources import find_architecture
from errlens.model.weights.checkpoints import Checkpoint


@pytest.fixture
def checkpoint():
    torch.manual_seed(0)
    state = timm.create_model("test_resnet", num_classes=7).state_dict()
    return Checkpoint(Path("w.pt"), state)


@pytest.mark.parametrize("head", ["fc", None])
def test_a_network_is_built_for_the_tensors_of_a_file(checkpoint, head):
    architecture = replace(find_architecture("test_resnet"), head=head)
    module, state = build_for(checkpoint, architecture, {})
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
    assert module.get_submodule("fc").out_features == 7
    assert state.keys() == checkpoint.state.keys()


def test_nothing_is_built_in_earnest_where_the_tensors_differ(checkpoint):
    def build(**arguments):
        assert torch.empty(0).device.type == "meta"
        return timm.create_model("resnet18", **arguments)

    architecture = replace(find_architecture("resnet18"), create=build)
    with pytest.raises(IncompatibleCheckpoint):
        build_for(checkpoint, architecture, {})


def test_the_user_may_not_contradict_the_file(checkpoint):
    with pytest.raises(UnfitOption, match="8"):
        build_for(checkpoint, find_architecture("test_resnet"), {}, 8)


def test_arguments_may_change_a_network_but_not_multiply_it():
    architecture = find_architecture("test_vit")
    check_size(architecture, {"img_size": 96})
    with pytest.raises(UnfitModel, match="4 times"):
        check_size(architecture, {"embed_dim": 96_000, "num_heads": 1})
    with pytest.raises(UnfitModel, match="4 times"):
        check_size(architecture, {"depth": 5_000})


def test_the_last_linear_layer_is_named():
    assert last_linear(timm.create_model("test_resnet")) == "fc"
    assert last_linear(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1))) == "0"
    assert last_linear(torch.nn.Identity()) == ""

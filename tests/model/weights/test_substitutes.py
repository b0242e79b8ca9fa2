"""Checkpoints of what is no network's weights: each has its own sentence."""

import pytest
import timm
import torch
from torch import nn

from errlens.errors import BadCheckpoint
from errlens.model.networks.loading import load_network
from errlens.model.weights.checkpoints import Checkpoint
from errlens.model.weights.substitutes import refuse_substitutes


def vit():
    return timm.create_model("test_vit", num_classes=3)


def adapters(base="base_model.model.blocks.0.attn.qkv"):
    return {
        f"{base}.lora_A.default.weight": torch.zeros(4, 64),
        f"{base}.lora_B.default.weight": torch.zeros(192, 4),
    }


def adapted():
    state = {f"base_model.model.{key}": value for key, value in vit().state_dict().items()}
    return {
        key.replace("qkv.weight", "qkv.base_layer.weight"): value for key, value in state.items()
    } | adapters()


def of_bitsandbytes():
    state = dict(vit().state_dict())
    name = "blocks.0.attn.qkv.weight"
    return state | {name: state[name].to(torch.int8), "blocks.0.attn.qkv.SCB": torch.ones(192)}


def of_gptq():
    return {"blocks.0.qweight": torch.ones(8, 8, dtype=torch.int32), "blocks.0.bias": torch.ones(8)}


def of_torch():
    return {"fc.scale": torch.ones(()), "fc.zero_point": torch.ones(()), "a.b": torch.ones(2, 2)}


KINDS = {
    "adapters alone": (adapters(), "and not the network they change", "merge_and_unload"),
    "a network with adapters": (adapted(), "holds adapters", "merge_and_unload"),
    "bitsandbytes": (of_bitsandbytes(), "quantised", "it was made from"),
    "GPTQ": (of_gptq(), "quantised", "it was made from"),
    "torch": (of_torch(), "quantised", "it was made from"),
    "a head": (nn.Linear(8, 3).state_dict(), "a head alone .weight: 3 outputs of 8", "together"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["test_vit", None])
def test_what_is_no_network_is_called_what_it_is(kind, name, tmp_path):
    state, says, hint = KINDS[kind]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(BadCheckpoint, match=says) as failure:
        load_network(name, checkpoint=tmp_path / "w.pth")
    assert hint in failure.value.hint


@pytest.mark.parametrize(
    "name", ["test_vit", "test_resnet", "swin_tiny_patch4_window7_224", "eva02_tiny_patch14_224"]
)
def test_no_network_is_taken_for_one_of_these(name, tmp_path):
    with torch.device("meta"):
        state = timm.create_model(name).state_dict()
    refuse_substitutes(Checkpoint(tmp_path / "w.pth", state))

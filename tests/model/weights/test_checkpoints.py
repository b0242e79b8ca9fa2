from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint
from errlens.model.weights.checkpoints import (
    Checkpoint,
    apply_checkpoint,
    count_outputs,
    hash_weights,
    matching_part,
    read_checkpoint,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(body=nn.Linear(4, 3), norm=nn.BatchNorm1d(3)))


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_what_was_saved_comes_back(network, tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save(network.state_dict(), path)
    found = read_checkpoint(path).state
    assert found.keys() == network.state_dict().keys()
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_weights_are_found_inside_a_training_checkpoint(network, tmp_path, key):
    torch.save({"epoch": 3, key: network.state_dict()}, tmp_path / "last.pth")
    found = read_checkpoint(tmp_path / "last.pth")
    assert found.state.keys() == network.state_dict().keys()
    assert found.recorded["epoch"] == 3


def test_a_whole_pickled_module_of_an_old_torch_is_refused(network, tmp_path):
    torch.save(network, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(BadCheckpoint, match="Sequential"):
        read_checkpoint(tmp_path / "old.pt")


@pytest.mark.parametrize("key", ["", "model"])
def test_a_whole_pickled_module_is_refused_with_the_lines_that_save_it_again(
    network, tmp_path, key
):
    path = tmp_path / "module.pt"
    torch.save({key: network, "epoch": 3} if key else network, path)
    with pytest.raises(BadCheckpoint, match="Sequential") as failure:
        read_checkpoint(path)
    assert len(failure.value.code) == 2
    exec("\n".join(failure.value.code), {"torch": torch})
    found = read_checkpoint(tmp_path / "module-weights.pth").state
    assert found.keys() == network.state_dict().keys()


@pytest.mark.parametrize("found", [{}, [1, 2], {"a": 3}])
def test_a_file_without_weights_is_refused(tmp_path, found):
    torch.save(found, tmp_path / "odd.pt")
    with pytest.raises(BadCheckpoint):
        read_checkpoint(tmp_path / "odd.pt")


def test_missing_unexpected_and_misshaped_tensors_are_all_listed(network, tmp_path):
    state = network.state_dict()
    state["stray"] = state.pop("body.bias")
    state["body.weight"] = torch.ones(5, 4)
    with pytest.raises(IncompatibleCheckpoint) as failure:
        apply_checkpoint(network, state, path=tmp_path / "weights.pt")
    assert failure.value.missing == ["body.bias"]
    assert failure.value.unexpected == ["stray"]
    assert failure.value.misshaped == ["body.weight (5, 4) instead of (3, 4)"]
    assert all(name in str(failure.value) for name in ("body.bias", "stray", "(5, 4)"))


def test_the_classifier_tells_the_number_of_outputs(network):
    state = network.state_dict()
    assert count_outputs(state, "body") == 3
    assert count_outputs({"fc.bias": torch.ones(7)}, "fc") == 7
    assert count_outputs(state, "head") is None


def test_the_hash_is_of_names_shapes_and_bytes_but_not_of_their_order(network):
    before = hash_weights(network)
    assert hash_weights(network) == before
    with torch.no_grad():
        network.body.weight[0, 0] += 1e-6
    assert hash_weights(network) != before
    one, other = nn.Linear(2, 3, bias=False), nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        other.weight.copy_(one.weight.reshape(2, 3))
    assert hash_weights(one) != hash_weights(other)


def test_every_dtype_can_be_hashed():
    module = nn.Module()
    for number, dtype in enumerate((torch.bfloat16, torch.float16, torch.int64, torch.bool)):
        module.register_buffer(f"b{number}", torch.ones((), dtype=dtype))
    assert len(hash_weights(module)) == 64


def test_half_precision_weights_load_into_a_full_precision_network(network, tmp_path):
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    save_file(state, tmp_path / "half.safetensors")
    loaded = read_checkpoint(tmp_path / "half.safetensors")
    apply_checkpoint(network, loaded.state, path=tmp_path)
    assert network.body.weight.dtype == torch.float32
    np.testing.assert_array_equal(network.body.weight.detach(), state["body.weight"].float())


@pytest.mark.parametrize("dtype", [torch.int8, torch.qint8])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_quantised_weights_are_refused(network, dtype):
    state = network.state_dict()
    weight = state["body.weight"]
    rounded = torch.quantize_per_tensor(weight, 0.1, 0, dtype) if dtype == torch.qint8 else None
    state["body.weight"] = weight.to(dtype) if rounded is None else rounded
    with pytest.raises(BadCheckpoint, match="quantised"):
        apply_checkpoint(network, state, path=Path("w.pt"))


def test_a_head_under_another_prefix_is_told_of_where_the_own_is_missing(network):
    state = {
        "backbone.body.weight": torch.ones(3, 4),
        "backbone.body.bias": torch.ones(3),
        "head.norm.weight": torch.ones(3),
    }
    part = matching_part(Checkpoint(Path("w.pt"), state), list(network.state_dict()))
    assert part.keys() == {"body.weight", "body.bias", "head.norm.weight"}


def test_a_model_that_is_there_twice_is_not_chosen_by_chance(network):
    state = {
        f"{who}.{name}": tensor
        for who in ("teacher", "student")
        for name, tensor in network.state_dict().items()
    }
    with pytest.raises(BadCheckpoint, match="several times"):
        matching_part(Checkpoint(Path("w.pt"), state), list(network.state_dict()))

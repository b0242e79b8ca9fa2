from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from errlens.errors import BadCheckpoint
from errlens.model.weights.checkpoints import hash_weights, read_checkpoint


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


@pytest.mark.parametrize("key", ["optimizer", ""])
def test_the_state_of_an_optimizer_alone_is_called_that(network, tmp_path, key):
    state = torch.optim.SGD(network.parameters(), lr=0.1).state_dict()
    torch.save({key: state, "epoch": 3} if key else state, tmp_path / "optimizer.pt")
    with pytest.raises(BadCheckpoint, match="the state of an optimizer, and no weights"):
        read_checkpoint(tmp_path / "optimizer.pt")


def test_of_teacher_and_student_the_teacher_is_saved_by_the_lines_that_are_named(network, tmp_path):
    other = {name: value + 1 for name, value in network.state_dict().items()}
    torch.save({"student": other, "teacher": network.state_dict()}, tmp_path / "both.pth")
    with pytest.raises(BadCheckpoint, match="several state dicts: 'student', 'teacher'") as failure:
        read_checkpoint(tmp_path / "both.pth")
    exec("\n".join(failure.value.code))
    found = read_checkpoint(tmp_path / "both-part.pth").state
    assert torch.equal(found["body.weight"], network.body.weight)

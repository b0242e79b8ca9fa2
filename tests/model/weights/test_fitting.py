from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint
from errlens.model.weights.checkpoints import Checkpoint, read_checkpoint
from errlens.model.weights.fitting import apply_checkpoint, count_outputs, matching_part


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(body=nn.Linear(4, 3), norm=nn.BatchNorm1d(3)))


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


class Versioned(nn.Linear):
    """Refuses weights that do not say of which version they are, as torchvision's MNASNet does."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        assert local_metadata.get("version") == self._version
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def test_weights_of_a_file_are_those_of_the_version_that_their_names_are_of():
    network = nn.Sequential(Versioned(4, 3))
    state = {"0.weight": torch.ones(3, 4), "0.bias": torch.ones(3)}
    apply_checkpoint(network, state, path=Path("w.pth"))
    assert network(torch.ones(1, 4)).tolist() == [[5.0, 5.0, 5.0]]

import pytest
import torch
from torch import nn

from errlens.model.layers.hooks import watched


def test_layers_are_watched_for_the_length_of_the_block_and_change_nothing():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    seen = []

    def watch(name, layer, inputs, output):
        seen.append((name, layer, inputs[0].shape, output.shape))

    image = torch.ones(4, 2)
    expected = module(image)
    with watched(module, ["0", ""], watch):
        assert torch.equal(module(image), expected)
    with pytest.raises(RuntimeError), watched(module, ["1"], watch):
        module(torch.ones(4, 5))
    module(image)
    assert seen == [("0", module[0], (4, 2), (4, 3)), ("", module, (4, 2), (4, 3))]

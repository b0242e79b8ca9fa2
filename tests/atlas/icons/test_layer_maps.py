import threading

import pytest
import torch
from torch import nn

from errlens.atlas.icons.layer_maps import maps_of
from errlens.errors import UnfitLayer, UserCodeFailed
from errlens.model.layers.places import SpatialLayer

LAYER = SpatialLayer("body", "NCHW", (8, 8))
EXAMPLE = torch.zeros(1, 3, 8, 8)


class Watched(nn.Module):
    """Counts how often its end runs, and swallows what goes wrong inside."""

    def __init__(self, repeats=1):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.repeats, self.ends = nn.Conv2d(3, 3, 3, padding=1), repeats, 0
        self.spare = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        try:
            for _ in range(self.repeats):
                images = self.body(images)
            self.ends += 1
            return images.relu_().mean(dim=(2, 3))
        except Exception:  # noqa: BLE001 - as networks do
            return None


def hooks(module):
    return [part._forward_hooks for part in module.modules() if part._forward_hooks]


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_network_runs_as_far_as_the_layers_last_call(repeats):
    module, images = Watched(repeats), torch.randn(2, 3, 8, 8)
    wanted = images
    with torch.no_grad():
        for _ in range(repeats):
            wanted = module.body(wanted)
    with maps_of(module, LAYER, EXAMPLE) as maps:
        assert module.ends == 1
        answers = maps(images)
        assert module.ends == 1
        assert torch.equal(answers, wanted)
        assert answers.requires_grad
    assert not hooks(module)


def test_tokens_become_maps():
    layer = SpatialLayer("2", "tokens", (2, 2))
    module = nn.Sequential(
        nn.Conv2d(3, 5, 4, stride=4), nn.Flatten(2), Transposed(), nn.Linear(5, 2)
    )
    images = torch.randn(3, 3, 8, 8)
    with maps_of(module, layer, EXAMPLE) as maps:
        assert torch.equal(maps(images), module[0](images))


class Transposed(nn.Module):
    def forward(self, tokens):
        return tokens.transpose(1, 2)


def test_no_hook_is_left_after_an_exception():
    module = Watched()

    def interrupted():
        with maps_of(module, LAYER, EXAMPLE) as maps:
            maps(EXAMPLE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not hooks(module)
    first = nn.Sequential(module.body)
    with (
        pytest.raises(UserCodeFailed),
        maps_of(first, SpatialLayer("0", "NCHW", (8, 8)), torch.zeros(1, 4, 8, 8)),
    ):
        pass
    assert not hooks(first)


def test_a_layer_that_does_not_run_is_said():
    with (
        pytest.raises(UnfitLayer, match="'spare' does not run"),
        maps_of(Watched(), SpatialLayer("spare", "NCHW", (8, 8)), EXAMPLE),
    ):
        pass


def test_threads_have_their_own_maps():
    module, found = Watched(2), {}
    with maps_of(module, LAYER, EXAMPLE) as maps:

        def ask(value):
            found[value] = [maps(torch.full((1, 3, 8, 8), float(value))) for _ in range(20)]

        threads = [threading.Thread(target=ask, args=(value,)) for value in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for value, answers in found.items():
            wanted = maps(torch.full((1, 3, 8, 8), float(value)))
            assert all(torch.equal(answer, wanted) for answer in answers)

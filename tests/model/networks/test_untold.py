"""Arguments that change what a network does, while all its weights fit."""

import timm
import torch

from errlens.model.networks.untold import untold_arguments


def test_each_changes_what_the_same_weights_say():
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for name in ("test_resnet", "test_efficientnet"):
        usual = timm.create_model(name).eval()
        untold = untold_arguments(name, {})
        assert untold
        for argument, value in untold.items():
            changed = timm.create_model(name, **{argument: value}).eval()
            changed.load_state_dict(usual.state_dict())
            assert not torch.allclose(usual(image), changed(image), atol=1e-9)


def test_what_was_given_is_not_proposed_again():
    assert "output_stride" in untold_arguments("test_resnet", {})
    assert "output_stride" not in untold_arguments("test_resnet", {"output_stride": 8})


def test_the_number_of_heads_is_in_no_weight():
    assert "num_heads" in untold_arguments("vit_tiny_patch16_224", {})


def test_of_a_network_that_is_unknown_or_ones_own_nothing_is_said():
    assert untold_arguments("no-such-network", {}) == {}
    assert untold_arguments("json:loads", {}) == {}

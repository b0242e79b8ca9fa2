"""What files may decide of an architecture; what they may not is in tests/attacks."""

import pytest

from errlens.model.networks.arguments import recorded_arguments
from errlens.model.networks.sources import find_architecture


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("test_vit", {"img_size": 64, "patch_size": 8, "num_classes": 5, "in_chans": 1}),
        ("test_vit", {"global_pool": "avg", "class_token": False, "init_values": 1e-5}),
        ("test_vit", {"dynamic_img_size": True, "reg_tokens": 4, "drop_path_rate": 0.1}),
        ("test_vit", {"img_size": [64, 96], "norm_layer": None}),
        ("resnet18", {"drop_rate": 0.2, "zero_init_last": False, "output_stride": 16}),
        ("resnet18", {"stem_type": "deep", "stem_width": 32, "channels": [64, 128, 256, 512]}),
        ("efficientnet_b0", {"bn_eps": 1e-3, "bn_momentum": 0.01, "drop_rate": 0.3}),
        ("convmixer_768_32", {"dim": 256, "depth": 8}),
        ("swinv2_tiny_window8_256", {"window_size": 8, "pretrained_window_sizes": [0, 0, 0, 0]}),
        ("levit_128", {"img_size": 256}),  # its class hands arguments on to the one above
        ("torchvision:resnet18", {"width_per_group": 64, "groups": 1}),
        ("torchvision:vit_b_16", {"image_size": 224, "dropout": 0.1}),
    ],
)
def test_what_trainings_record_is_taken(model, arguments):
    assert recorded_arguments(arguments, find_architecture(model), origin="w.pth") == arguments


def test_a_factory_of_the_users_may_take_any_name(tiny):
    factory = find_architecture(tiny)
    assert recorded_arguments({"num_classes": 3}, factory, origin="run.json") == {"num_classes": 3}

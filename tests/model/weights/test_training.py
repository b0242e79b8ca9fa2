"""What checkpoints record of their training, and what becomes of it."""

import argparse
from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from errlens.errors import IncompatibleCheckpoint
from errlens.model.load import ModelSpec, load_classifier
from errlens.model.networks.loading import load_network
from errlens.model.weights.checkpoints import Checkpoint
from errlens.model.weights.training import recorded_training

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def resnet() -> nn.Module:
    torch.manual_seed(1)
    return timm.create_model("test_resnet", num_classes=7).eval()


def saved(tree, tmp_path) -> Path:
    torch.save(tree, tmp_path / "last.pth")
    return tmp_path / "last.pth"


def test_the_arguments_and_preprocessing_of_the_training_are_used(tmp_path):
    theirs = timm.create_model("test_vit", num_classes=5, img_size=64, patch_size=8).eval()
    args = argparse.Namespace(
        model="test_vit", model_kwargs={"img_size": 64, "patch_size": 8}, img_size=64,
        mean=[0.1, 0.2, 0.3], std=(0.4, 0.5, 0.6), crop_pct=1.0, crop_mode="squash",
        interpolation="", input_size=None, lr=0.1,
    )  # fmt: skip
    path = saved({"state_dict": theirs.state_dict(), "args": args}, tmp_path)
    found = load_classifier(ModelSpec(checkpoint=path))
    used = found.preparation
    assert (used.img_size, used.crop_pct, used.crop_mode) == ((64, 64), 1.0, "squash")
    assert (used.mean, used.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert used.interpolation == "bicubic"  # timm's, as nothing was recorded
    (said,) = (remark for remark in found.network.remarks if "mean" in remark)
    assert "model_kwargs" in said or "img_size=64, patch_size=8" in said
    own = load_classifier(ModelSpec(checkpoint=path, overrides={"crop_pct": 0.5})).preparation
    assert (own.crop_pct, own.mean) == (0.5, used.mean)


def test_what_is_recorded_of_another_model_is_not_used(tmp_path):
    args = argparse.Namespace(model="resnet18", img_size=32, model_kwargs={"a": 1})
    path = saved({"state_dict": resnet().state_dict(), "args": args}, tmp_path)
    network = load_network("test_resnet", checkpoint=path)
    assert not network.arguments
    assert "img_size" not in network.data_config


@pytest.mark.parametrize(
    "recorded",
    [
        {"classes": list("abcdefg")},
        {"class_to_idx": {name: index for index, name in enumerate("abcdefg")}},
        {"config": {"id2label": {str(index): name for index, name in enumerate("abcdefg")}}},
        {"args": argparse.Namespace(class_names=tuple("abcdefg"))},
    ],
)
def test_recorded_class_names_name_the_outputs(tmp_path, recorded):
    path = saved({"model": resnet().state_dict(), **recorded}, tmp_path)
    classes = load_classifier(ModelSpec(checkpoint=path)).classes
    assert (classes.names, classes.source) == (tuple("abcdefg"), "last.pth")


@pytest.mark.parametrize(
    "classes",
    [["a", "b"], [1, 2], [], {"a": "x"}, 7, None, torch.ones(7), [f"LABEL_{i}" for i in range(7)]],
)
def test_recorded_classes_that_do_not_fit_are_left_alone(tmp_path, classes):
    path = saved({"model": resnet().state_dict(), "classes": classes}, tmp_path)
    found = load_classifier(ModelSpec(checkpoint=path), labels=list("gfedcba"))
    assert found.classes.names == tuple("abcdefg")


def test_recorded_classes_of_another_number_are_told(tmp_path):
    path = saved({"model": resnet().state_dict(), "classes": ["a", "b"]}, tmp_path)
    found = load_classifier(ModelSpec(checkpoint=path), labels=list("gfedcba"))
    assert any(
        "2 class names in last.pth are not used" in remark for remark in found.network.remarks
    )


def test_torchvisions_training_script_means_its_own_network_and_sizes(tmp_path):
    import torchvision

    theirs = torchvision.models.resnet18(num_classes=4).eval()
    args = argparse.Namespace(
        model="resnet18", val_crop_size=112, val_resize_size=128, interpolation="bilinear"
    )
    path = saved({"model": theirs.state_dict(), "args": args, "optimizer": {}}, tmp_path)
    found = load_classifier(ModelSpec(checkpoint=path))
    used = found.preparation
    assert found.network.name == "torchvision:resnet18"
    assert (used.img_size, used.crop_pct, used.interpolation) == ((112, 112), 0.875, "bilinear")


def test_torchvision_is_tried_where_timm_has_a_network_of_this_name_with_other_tensors(tmp_path):
    import torchvision

    theirs = torchvision.models.efficientnet_b0(num_classes=4).eval()
    path = saved({"arch": "efficientnet_b0", "state_dict": theirs.state_dict()}, tmp_path)
    network = load_network(checkpoint=path)
    assert network.name == "torchvision:efficientnet_b0"
    torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES))


def test_what_a_checkpoint_records_may_be_nonsense():
    odd = {
        "arch": 3, "model": torch.ones(2), "args": 5, "classes": object(), "model_kwargs": [1],
        "config": {"config": {"mean": "red", "std": [0, 1, 1], "img_size": -1, "crop_pct": "x"}},
    }  # fmt: skip
    found = recorded_training(Checkpoint(Path("w.pt"), {}, odd))
    assert found == ((), {}, {}, None)


def test_a_recorded_architecture_that_does_not_fit_is_named_with_the_one_that_does(tmp_path):
    path = saved({"arch": "resnet50", "state_dict": resnet().state_dict()}, tmp_path)
    with pytest.raises(
        IncompatibleCheckpoint, match="does not fit resnet50: its tensors are those of test_resnet"
    ) as failure:
        load_network(checkpoint=path)
    assert "--model test_resnet" in failure.value.hint

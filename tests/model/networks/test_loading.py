import logging
import sys

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.data import resolve_data_config
from torch import nn

from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import (
    IncompatibleCheckpoint,
    NoClassifier,
    UnfitModel,
    UnfitOption,
    UnknownModel,
    UserCodeFailed,
    WeightsUnavailable,
)
from errlens.model.networks.loading import HeadSpec, load_network
from errlens.model.networks.sources import find_architecture
from errlens.model.outputs.dry_run import dry_run
from errlens.model.preparation import resolve_preprocessing

CPU = torch.device("cpu")


def saved(module: nn.Module, path):
    save_file(module.state_dict(), path)
    return path


def test_a_timm_checkpoint_tells_the_number_of_outputs(tmp_path):
    theirs = timm.create_model("test_efficientnet", num_classes=7)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("test_efficientnet", checkpoint=path)
    assert not network.module.training
    ours = network.module.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.state_dict().items())


def test_arguments_reach_the_architecture(tmp_path):
    theirs = timm.create_model("test_vit", num_classes=5, img_size=64, patch_size=8)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("test_vit", checkpoint=path, arguments={"img_size": 64, "patch_size": 8})
    assert network.module(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_a_network_of_fixed_size_is_built_for_the_image_size(tmp_path):
    theirs = timm.create_model("test_vit", num_classes=5, img_size=96)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("test_vit", checkpoint=path, img_size=96)
    assert network.module(torch.zeros(1, 3, 96, 96)).shape == (1, 5)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    path = saved(timm.create_model("test_resnet", num_classes=7), tmp_path / "w.safetensors")
    with pytest.raises(IncompatibleCheckpoint) as failure:
        load_network("test_efficientnet", checkpoint=path)
    assert failure.value.missing
    assert failure.value.unexpected


def test_num_classes_must_agree_with_the_checkpoint(tmp_path):
    path = saved(timm.create_model("test_resnet", num_classes=7), tmp_path / "w.safetensors")
    assert load_network("test_resnet", checkpoint=path, num_classes=7)
    with pytest.raises(UnfitOption, match="7 outputs"):
        load_network("test_resnet", checkpoint=path, num_classes=8)


def test_num_classes_without_a_checkpoint_would_be_untrained():
    with pytest.raises(UnfitOption, match="untrained"):
        load_network("test_resnet", num_classes=8)


@pytest.mark.parametrize(
    ("name", "near"),
    [("resnet_50", "resnet50"), ("torchvision:resnet500", "resnet50")],
)
def test_a_misspelt_model_suggests_the_nearest(name, near):
    with pytest.raises(UnknownModel) as failure:
        load_network(name)
    assert near in failure.value.hint
    assert failure.value.exit_code == 2


def test_pretrained_weights_out_of_reach_are_a_sentence(monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise FileNotFoundError("cannot reach the hub")

    monkeypatch.setattr("timm.models._builder.load_pretrained", unreachable)
    with pytest.raises(WeightsUnavailable, match="cannot reach the hub"):
        load_network("resnet18")


def test_what_the_client_of_the_hub_says_of_each_try_is_kept_back(monkeypatch, caplog):
    def tried(*_args, **_kwargs):
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 8s [Retry 4/5].")
        raise OSError("cannot reach the hub")

    monkeypatch.setattr("timm.models._builder.load_pretrained", tried)
    monkeypatch.setattr("errlens.model.networks.sources.load_model_config_from_hf", tried)
    level = logging.getLogger("huggingface_hub").level
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    for name in ("resnet18", "hf-hub:someone/net"):
        with pytest.raises(WeightsUnavailable, match="cannot reach the hub"):
            load_network(name)
    assert caplog.text == ""
    assert logging.getLogger("huggingface_hub").level == level


def test_a_timm_model_nobody_trained_asks_for_a_checkpoint():
    name = next(name for name in timm.list_models() if not timm.models.is_model_pretrained(name))
    with pytest.raises(WeightsUnavailable, match="no pretrained weights"):
        load_network(name)


def test_a_hub_folder_is_a_checkpoint_and_gives_what_timm_gives(tmp_path):
    theirs = timm.create_model("test_efficientnet", num_classes=4).eval()
    timm.models.save_for_hf(theirs, tmp_path / "hub", model_config={"label_names": list("abcd")})
    network = load_network(f"local-dir:{tmp_path / 'hub'}")
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(network.module(images), theirs(images))
    assert tuple(network.data_config["label_names"]) == tuple("abcd")
    expected = resolve_data_config({}, model=theirs)
    found = resolve_preprocessing(network, overrides={})
    assert (3, *found.img_size) == expected["input_size"]
    assert (found.mean, found.std) == (expected["mean"], expected["std"])
    again = load_network(f"local-dir:{tmp_path / 'hub'}", checkpoint=tmp_path / "hub")
    torch.testing.assert_close(again.module(images), theirs(images))


def test_a_torchvision_checkpoint_and_its_preprocessing(tmp_path):
    theirs = torchvision.models.resnet18(num_classes=6)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("torchvision:resnet18", checkpoint=path)
    assert network.module(torch.zeros(1, 3, 64, 64)).shape == (1, 6)
    found = resolve_preprocessing(network, overrides={})
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    assert found.img_size == (preset.crop_size[0],) * 2
    assert found.mean == tuple(preset.mean)


@pytest.mark.parametrize("name", torchvision.models.list_models(module=torchvision.models))
def test_every_torchvision_preset_resizes_as_torchvision_does(name):
    preset = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    config = find_architecture(f"torchvision:{name}").data_config
    side = preset.crop_size[0]
    found = Preprocessing((side, side), config["crop_pct"], "center", "bilinear", (0.5,), (0.5,))
    assert int(found.img_size[0] / found.crop_pct) == preset.resize_size[0]


def test_a_factory_in_the_current_folder(tiny, tmp_path):
    assert load_network(tiny).module(torch.zeros(1, 3, 8, 8)).shape == (1, 3)
    assert load_network(tiny, num_classes=5).module(torch.zeros(1, 3, 8, 8)).shape == (1, 5)
    path = saved(load_network(tiny, num_classes=4).module, tmp_path / "w.safetensors")
    assert load_network(tiny, checkpoint=path).module(torch.zeros(1, 3, 8, 8)).shape == (1, 4)


@pytest.mark.parametrize("name", ["tinny:colours", "tiny:color", "tiny.deeper:colours"])
def test_a_factory_that_does_not_exist_is_a_usage_error(tiny, name):
    del tiny
    with pytest.raises(UnknownModel):
        load_network(name)


def test_a_factory_whose_own_imports_fail_says_so_in_its_words(tmp_path, monkeypatch):
    (tmp_path / "lacking.py").write_text("import no_such_package_anywhere\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(UserCodeFailed, match=r"ModuleNotFoundError: .*'no_such_package_anywhere'"):
        load_network("lacking:make")


def test_a_factory_must_make_a_network(tiny):
    with pytest.raises(UnfitModel, match="int"):
        load_network(tiny.replace("colours", "no_module"))


def test_an_argument_the_architecture_does_not_take_is_named(tiny):
    with pytest.raises(UnfitModel, match="colour"):
        load_network(tiny, arguments={"colour": 3})


def test_one_output_tells_two_classes_apart(tiny):
    network = load_network(tiny.replace("colours", "one_output"))
    interface = dry_run(network, resolve_preprocessing(network, overrides={}), CPU)
    assert (interface.outputs, interface.head, interface.features) == (2, "2", 3)
    assert interface.reading.as_dict() == {"single": True}


def test_an_image_size_the_network_refuses_is_a_sentence(tiny):
    network = load_network(tiny.replace("colours", "picky"))
    assert dry_run(network, resolve_preprocessing(network, overrides={"img_size": 32}), CPU)
    with pytest.raises(UnfitModel, match=r"\(3, 64, 64\): AssertionError: only 32 pixels"):
        dry_run(network, resolve_preprocessing(network, overrides={"img_size": 64}), CPU)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet", "test_convnext"])
def test_the_preprocessing_is_timms(name, tmp_path):
    theirs = timm.create_model(name, num_classes=3)
    network = load_network(name, checkpoint=saved(theirs, tmp_path / "w.safetensors"))
    found = resolve_preprocessing(network, overrides={})
    expected = resolve_data_config({}, model=theirs)
    assert (3, *found.img_size) == expected["input_size"]
    for key in ("mean", "std", "crop_pct", "crop_mode", "interpolation"):
        assert getattr(found, key) == expected[key]


def test_overrides_win_over_the_networks_own(tmp_path):
    theirs = timm.create_model("test_resnet", num_classes=3)
    network = load_network("test_resnet", checkpoint=saved(theirs, tmp_path / "w.safetensors"))
    overrides = {
        "img_size": 64,
        "crop_pct": 1.0,
        "crop_mode": "squash",
        "interpolation": "nearest",
        "mean": (0.1, 0.2, 0.3),
        "std": (0.4, 0.5, 0.6),
    }
    found = resolve_preprocessing(network, overrides=overrides)
    assert found == Preprocessing(
        (64, 64), 1.0, "squash", "nearest", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    )


def test_a_network_of_one_channel_gets_gray_images(tmp_path):
    theirs = timm.create_model("test_resnet", num_classes=3, in_chans=1)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("test_resnet", checkpoint=path, arguments={"in_chans": 1})
    found = resolve_preprocessing(network, overrides={})
    assert found.image_mode == "L"
    assert dry_run(network, found, CPU).outputs == 3


@pytest.mark.parametrize(
    ("name", "head"),
    [("test_resnet", "fc"), ("test_vit", "head"), ("test_convnext", "head.fc")],
)
def test_the_head_is_the_layer_that_gives_the_outputs(name, head, tmp_path):
    theirs = timm.create_model(name, num_classes=3)
    network = load_network(name, checkpoint=saved(theirs, tmp_path / "w.safetensors"))
    found = dry_run(network, resolve_preprocessing(network, overrides={}), CPU)
    assert found.head == head
    assert found.features == theirs.num_features
    assert not any(layer._forward_hooks for layer in network.module.modules())


def test_pretrained_weights_without_a_head_are_features(monkeypatch):
    """timm's DINO models have none; it gives them one of as many outputs as are asked for."""
    create = timm.create_model

    def untrained(name, **arguments):
        return create(name, **{**arguments, "pretrained": False})

    monkeypatch.setattr(timm, "create_model", untrained)
    with pytest.raises(NoClassifier, match="features and no scores") as failure:
        load_network("vit_small_patch16_224.dino")
    assert failure.value.model == "vit_small_patch16_224.dino"
    found = load_network("vit_small_patch16_224.dino", head=HeadSpec(new_outputs=4)).module
    assert found.head.out_features == 4


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mobilenet_v3_small", "--model torchvision:mobilenet_v3_small"),
        ("torchvision.vit_b_16", "--model torchvision:vit_b_16"),
        ("timm/resnet50.a1_in1k", "--model hf-hub:timm/resnet50.a1_in1k"),
    ],
)
def test_a_model_of_another_library_is_named_as_it_is_given(name, hint):
    with pytest.raises(UnknownModel) as failure:
        load_network(name)
    assert failure.value.hint.endswith(hint)


def test_a_regnet_of_torchvision_takes_a_checkpoint(tmp_path):
    theirs = torchvision.models.regnet_x_400mf(num_classes=6)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("torchvision:regnet_x_400mf", checkpoint=path)
    assert network.module(torch.zeros(1, 3, 64, 64)).shape == (1, 6)
    largest = find_architecture("torchvision:regnet_y_128gf")
    with torch.device("meta"):  # where no memory is taken
        assert next(largest.create().parameters()).is_meta


def test_images_of_another_size_than_the_network_is_built_for_get_it_named(tmp_path):
    arguments = {"img_size": 64, "depth": 1}
    theirs = timm.create_model("deit_tiny_patch16_224", **arguments)
    path = saved(theirs, tmp_path / "w.safetensors")
    network = load_network("deit_tiny_patch16_224", checkpoint=path, arguments=arguments)
    preparation = resolve_preprocessing(network, overrides={})
    with pytest.raises(UnfitModel) as failure:
        dry_run(network, preparation, CPU)
    assert failure.value.hint.endswith("add --img-size 64")
    sized = resolve_preprocessing(network, overrides={"img_size": 64})
    assert dry_run(network, sized, CPU).outputs == 1000

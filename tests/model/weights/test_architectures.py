"""Checkpoints as training scripts leave them: each must give the predictions of its network."""

import argparse
import csv
import io
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.utils import ModelEmaV2
from torch import nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint, UnfitOption, UnknownModel
from errlens.model.load import ModelSpec, load_classifier
from errlens.model.networks.loading import load_network
from errlens.model.networks.remedies import choose_architecture
from errlens.model.weights import architectures
from errlens.model.weights.architectures import (
    INDEX,
    TORCHVISION_INDEX,
    fingerprint,
    fitting_architectures,
    similar_architectures,
    torchvision_names,
)
from errlens.model.weights.checkpoints import Checkpoint

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def resnet(**arguments) -> nn.Module:
    torch.manual_seed(1)
    return timm.create_model("test_resnet", num_classes=7, **arguments).eval()


def saved(tree, tmp_path, name="last.pth") -> Path:
    torch.save(tree, tmp_path / name)
    return tmp_path / name


def prefixed(prefix: str, module: nn.Module) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}


def momentum(module: nn.Module) -> dict[str, object]:
    """Return the state of an optimizer that has made a step."""
    optimizer = torch.optim.AdamW(module.parameters())
    module(IMAGES).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    return optimizer.state_dict()


def timms_own(module):
    args = argparse.Namespace(model="test_resnet", num_classes=7, img_size=None, mean=None)
    return {"epoch": 3, "arch": "test_resnet", "state_dict": module.state_dict(), "args": args}


def pytorchs_example(module):
    return {
        "epoch": 90,
        "arch": "test_resnet",
        "state_dict": prefixed("module.", module),
        "best_acc1": torch.tensor(76.1),
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{}]},
    }


def a_typical_script(module):
    return {
        "epoch": 12,
        "model_state_dict": prefixed("module.", module),
        "best_acc": np.float64(0.92),
        "history": [np.float32(0.5), np.int64(3)],
        "args": argparse.Namespace(model="test_resnet", out=Path("runs"), lr=np.float64(0.1)),
        "rng_state": torch.get_rng_state(),
    }


class RunSettings(dict):
    """Stands for the settings classes of Lightning and others."""


RunSettings.__name__ = RunSettings.__qualname__ = "AttributeDict"
AttributeDict = RunSettings


def lightnings(module):
    return {
        "epoch": 4,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {
            **prefixed("model.", module),
            "criterion.weight": torch.ones(7),
            "val_accuracy.tp": torch.zeros(7),
        },
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.9)}},
        "hyper_parameters": AttributeDict(model_name="test_resnet", lr=0.1),
    }


def compiled(module):
    return {"model": prefixed("_orig_mod.", module), "config": {"arch": "test_resnet"}}


def compiled_in_parallel(module):
    return {"net": prefixed("module._orig_mod.", module), "hparams": {"backbone": "test_resnet"}}


RECORDING = [
    timms_own, pytorchs_example, a_typical_script, lightnings, compiled, compiled_in_parallel,
]  # fmt: skip


@pytest.mark.parametrize("kind", RECORDING)
@pytest.mark.parametrize("name", ["test_resnet", None])
def test_a_checkpoint_that_records_its_architecture_gives_its_predictions(tmp_path, kind, name):
    theirs = resnet()
    network = load_network(name, checkpoint=saved(kind(theirs), tmp_path))
    assert network.name == "test_resnet"
    torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES), rtol=0, atol=0)
    assert bool(network.remarks) == (name is None)


@pytest.mark.parametrize(
    "wrap", ["", "module.", "model.", "_orig_mod.", "module.model.", "net.backbone."]
)
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".ckpt", ".bin", ".pth.tar"])
def test_bare_weights_are_known_by_their_tensors(tmp_path, wrap, suffix):
    theirs = resnet()
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(prefixed(wrap, theirs), path)
    network = load_network(checkpoint=path)
    assert network.name == "test_resnet"
    assert "only one" in network.remarks[0]
    torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES), rtol=0, atol=0)


def test_the_state_of_an_optimizer_is_not_taken_for_weights(tmp_path):
    theirs = resnet()
    optimizer = momentum(theirs)
    scaler = {"scale": torch.tensor(1.0)}
    path = saved(
        {"weights": theirs.state_dict(), "optimizer": optimizer, "grad_scaler": scaler}, tmp_path
    )
    network = load_network(checkpoint=path)
    torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES), rtol=0, atol=0)


# Moving averages


def averaged() -> nn.Module:
    torch.manual_seed(2)
    other = timm.create_model("test_resnet", num_classes=7)
    return ModelEmaV2(other).module.eval()


def ema_beside(weights, average):
    return {"state_dict": weights.state_dict(), "state_dict_ema": average.state_dict()}


def ema_of_torchvision(weights, average):
    ema = {**prefixed("module.", average), "n_averaged": torch.tensor(5)}
    return {"model": weights.state_dict(), "model_ema": ema}


def ema_inside_a_lightning_module(weights, average):
    return {"state_dict": {**prefixed("model.", weights), **prefixed("ema_model.module.", average)}}


def ema_of_a_callback(weights, average):
    callbacks = {"EMA": {"ema": {"shadow": average.state_dict()}}}
    return {"state_dict": weights.state_dict(), "ema_callback": callbacks}


@pytest.mark.parametrize(
    "kind",
    [ema_beside, ema_of_torchvision, ema_inside_a_lightning_module, ema_of_a_callback],
)
def test_the_moving_average_is_taken_when_asked_for_and_only_then(tmp_path, kind):
    weights = resnet()
    average = averaged()
    path = saved(kind(weights, average), tmp_path)
    for use_ema, theirs in ((False, weights), (True, average)):
        network = load_network(checkpoint=path, use_ema=use_ema)
        assert any("--use-ema" in remark for remark in network.remarks) == (not use_ema)
        torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES), rtol=0, atol=0)


def test_a_checkpoint_of_nothing_but_the_average_needs_no_option(tmp_path):
    theirs = resnet()
    path = saved({"ema_state_dict": theirs.state_dict()}, tmp_path)
    network = load_network(checkpoint=path)
    torch.testing.assert_close(network.module(IMAGES), theirs(IMAGES), rtol=0, atol=0)


def test_an_average_that_is_not_there_is_a_mistake_of_usage(tmp_path):
    with pytest.raises(UnfitOption, match="no moving average"):
        load_network(checkpoint=saved({"model": resnet().state_dict()}, tmp_path), use_ema=True)
    with pytest.raises(UnfitOption, match="there is none"):
        load_network("test_resnet", use_ema=True)


# Hugging Face folders


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("as_file", [True, False])
def test_a_hugging_face_folder_tells_everything(tmp_path, safe, as_file):
    theirs = timm.create_model("test_vit", num_classes=3, img_size=64, patch_size=8).eval()
    config = {
        "label_names": ["cat", "dog", "cow"],
        "model_args": {"img_size": 64, "patch_size": 8},
    }
    timm.models.save_for_hf(theirs, tmp_path, model_config=config, safe_serialization=safe)
    file = "model.safetensors" if safe else "pytorch_model.bin"
    found = load_classifier(ModelSpec(checkpoint=tmp_path / file if as_file else tmp_path))
    assert found.network.name == "test_vit"
    assert found.classes.names == ("cat", "dog", "cow")
    ours = found.network.module(IMAGES.to(memory_format=torch.channels_last))
    torch.testing.assert_close(ours, theirs(IMAGES))


def test_a_damaged_config_beside_the_weights_is_named(tmp_path):
    timm.models.save_for_hf(resnet(), tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BadCheckpoint, match=r"config\.json"):
        load_network(checkpoint=tmp_path)


# Architectures by their tensors


def test_several_that_fit_are_listed_best_known_first(tmp_path):
    path = saved(timm.create_model("tf_efficientnet_b0", num_classes=3).state_dict(), tmp_path)
    with pytest.raises(UnfitOption, match="fit 3 of timm's") as failure:
        load_network(checkpoint=path)
    assert "'efficientnet_b0', 'tf_efficientnet_b0'" in str(failure.value)
    assert "--model efficientnet_b0" in failure.value.hint
    assert failure.value.exit_code == 2


def test_of_several_that_fit_the_one_the_file_is_called_after_is_proposed(tmp_path):
    theirs = timm.create_model("tf_efficientnet_b0", num_classes=3)
    with pytest.raises(UnfitOption) as failure:
        load_network(checkpoint=saved(theirs.state_dict(), tmp_path, "tf_efficientnet_b0.pets.pt"))
    assert "--model tf_efficientnet_b0" in failure.value.hint


def test_the_architecture_of_all_tensors_but_one_is_named_but_not_proposed(tmp_path):
    state = dict(resnet().state_dict())
    del state["bn1.bias"]
    says = r"nearest is 'test_resnet' \(1 missing: 'bn1.bias'\)"
    with pytest.raises(UnfitOption, match=says) as failure:
        load_network(checkpoint=saved({"state_dict": state}, tmp_path))
    assert "test_resnet" not in failure.value.hint


def test_a_network_nobody_knows_asks_for_a_factory(tmp_path):
    state = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)).state_dict()
    with pytest.raises(UnfitOption, match=r"none of timm's or torchvision's$") as failure:
        load_network(checkpoint=saved(state, tmp_path))
    assert "package.module:function" in failure.value.hint


def test_a_checkpoint_for_another_architecture_names_its_own(tmp_path):
    path = saved({"state_dict": prefixed("module.", resnet())}, tmp_path)
    with pytest.raises(IncompatibleCheckpoint) as failure:
        load_network("resnet18", checkpoint=path)
    assert "--model test_resnet" in failure.value.hint


def test_a_recorded_architecture_that_no_library_knows_is_looked_up_by_its_tensors(tmp_path):
    path = saved({"arch": "our_net", "state_dict": resnet().state_dict()}, tmp_path)
    assert load_network(checkpoint=path).name == "test_resnet"
    with pytest.raises(UnknownModel):
        load_network("our_net", checkpoint=path)


def test_neither_model_nor_checkpoint():
    with pytest.raises(UnfitOption, match="which model"):
        load_network()


@pytest.mark.parametrize(
    "name",
    ["test_resnet", "resnet50", "vit_base_patch16_224", "deit_tiny_distilled_patch16_224",
     "swin_tiny_patch4_window7_224", "vgg11", "densenet121", "mobilenetv3_small_050"],
)  # fmt: skip
def test_an_architecture_fits_its_own_tensors_whatever_its_classes(name):
    with torch.device("meta"):
        state = timm.create_model(name, num_classes=11).state_dict()
    checkpoint = Checkpoint(Path("w.pt"), state)
    assert name in fitting_architectures(checkpoint)
    assert name in similar_architectures(checkpoint)
    if fitting_architectures(checkpoint) == [name]:
        assert choose_architecture(checkpoint, {}) == name


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "vgg11", "swin_v2_t"])
def test_what_only_torchvision_calls_so_is_known_by_its_tensors(name):
    module = torchvision.models.get_model(name, weights=None, num_classes=11)
    checkpoint = Checkpoint(Path("w.pt"), prefixed("module.", module))
    assert fitting_architectures(checkpoint) == [f"torchvision:{name}"]


@pytest.mark.parametrize(
    ("index", "listed", "stride"),
    [(INDEX, timm.list_models(), 120), (TORCHVISION_INDEX, torchvision_names(), 30)],
)
def test_the_index_is_that_of_the_installed_libraries(index, listed, stride, request):
    """With --rewrite-golden it is made anew, from all architectures; that takes minutes."""
    path = Path(architectures.__file__).with_name(index)
    if request.config.getoption("--rewrite-golden"):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(map(fingerprint, listed))
        path.write_text(text.getvalue(), encoding="utf-8")
    known = {
        row[0]: tuple(row) for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
    }
    sampled = sorted(known.keys() & set(listed))[::stride]
    assert len(sampled) > 2
    for name in sampled:
        assert known[name] == fingerprint(name)

"""Arguments that a checkpoint records: nothing is fetched, written, imported or made enormous."""

import json

import pytest
import timm
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from errlens.cli import app
from errlens.errors import BadCheckpoint, ErrlensError
from errlens.model.load import ModelSpec, load_classifier
from errlens.model.networks.loading import load_network
from tests.attacks.limits import forbid_sockets, seconds_and_memory


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    forbid_sockets(monkeypatch)


@pytest.fixture(autouse=True)
def within_seconds_and_memory():
    with seconds_and_memory():
        yield


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=3).state_dict()


def in_folder(folder, state, config):
    folder.mkdir()
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def in_metadata(folder, state, config):
    folder.mkdir()
    save_file(state, folder / "w.safetensors", {"format": "pt", "config": json.dumps(config)})
    return folder / "w.safetensors"


def in_training(folder, state, config):
    folder.mkdir()
    args = {"model": config["architecture"], "model_kwargs": config.get("model_args")}
    args |= config.get("pretrained_cfg", {})
    torch.save({"state_dict": state, "args": args}, folder / "last.pth")
    return folder / "last.pth"


PLACES = [in_folder, in_metadata, in_training]
URL = "http://192.0.2.1/weights.pth"  # an address that belongs to nobody
EVIL = [
    {"pretrained": True},
    {"pretrained": True, "pretrained_cfg_overlay": {"url": URL}, "cache_dir": "taken"},
    {"pretrained_cfg_overlay": {"url": URL}},
    {"pretrained_cfg_overlay": {"file": "/etc/passwd"}},
    {"pretrained_cfg": {"url": URL}},
    {"pretrained_cfg": "a1_in1k"},
    {"pretrained_strict": False},
    {"pretrained_model_args": {"a": 1}},
    {"checkpoint_path": "/etc/passwd"},
    {"cache_dir": "taken"},
    {"cache_dir": None},
    {"file": "/etc/passwd"},
    {"url": URL},
    {"hf_hub_id": "someone/something"},
    {"weights": "DEFAULT"},
    {"state_dict": {"a": 1}},
    {"features_only": True},
    {"feature_cls": "hook"},
    {"scriptable": True},
    {"device": "cuda"},
    {"dtype": "float16"},
    {"block": "os.system"},
    {"norm_layer": "os.system"},
    {"act_layer": "relu"},
    {"aa_layer": "builtins.exec"},
    {"block_args": {"a": 1}},
    {"model_cfg": {"a": 1}},
    {"cfg": {"a": 1}},
    {"no_such_argument": 1},
    {"__class__": 1},
    {"self": 1},
    {"": 1},
    {"drop_rate": "x" * 100_000},
    {"drop_rate": "http://192.0.2.1/"},
    {"drop_rate": {"a": 1}},
    {"drop_rate": [[[[1]]]]},
    {"drop_rate": [0] * 1_000},
    {"x" * 100_000: 1},
]


@pytest.mark.parametrize(
    ("place", "arguments"),
    [*((in_folder, evil) for evil in EVIL), (in_metadata, EVIL[1]), (in_training, EVIL[1])],
    ids=lambda one: getattr(one, "__name__", str(one))[:60],
)
def test_an_argument_that_no_file_may_decide_is_named_and_refused(
    place, arguments, state, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = place(tmp_path / "c", state, {"architecture": "test_resnet", "model_args": arguments})
    before = sorted(tmp_path.rglob("*"))
    for name in (None, "test_resnet"):
        with pytest.raises(BadCheckpoint, match="no file may decide") as failure:
            load_network(name, checkpoint=path)
        assert failure.value.exit_code == 3
        assert any(key[:20] in str(failure.value) for key in arguments)
        assert len(str(failure.value)) < 600
    if place is in_folder:
        with pytest.raises(BadCheckpoint, match="no file may decide"):
            load_network(f"local-dir:{path}")
        with pytest.raises(BadCheckpoint, match="no file may decide"):
            load_network(f"local-dir:{path}", checkpoint=path / "model.safetensors")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("nan"), 10**400, b"x", {1, 2}, torch.device("cpu"), torch.ones(2)],
)
def test_a_pickled_argument_that_is_no_plain_value_is_refused(value, state, tmp_path):
    args = {"model": "test_resnet", "model_kwargs": {"drop_rate": value}}
    torch.save({"state_dict": state, "args": args}, tmp_path / "last.pth")
    with pytest.raises(BadCheckpoint, match="drop_rate"):
        load_network(checkpoint=tmp_path / "last.pth")


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("resnet18", {"stem_width": 10**9}),
        ("resnet50", {"base_width": 900_000}),
        ("resnet18", {"num_classes": 10**9}),
        ("resnet18", {"channels": [900_000, 1, 1, 1]}),
        ("resnet18", {"cardinality": 0}),
        ("resnet18", {"output_stride": -1}),
        ("resnet18", {"in_chans": 10**6}),
        ("vit_tiny_patch16_224", {"depth": 10**6}),
        ("vit_tiny_patch16_224", {"img_size": 10**6}),
        ("vit_tiny_patch16_224", {"img_size": 4096, "patch_size": 1}),
        ("vit_tiny_patch16_224", {"patch_size": 0}),
        ("vit_tiny_patch16_224", {"num_heads": 0}),
        ("vit_tiny_patch16_224", {"embed_dim": 900_000, "num_heads": 1}),
        ("vit_tiny_patch16_224", {"mlp_ratio": 1e5}),
        ("vit_tiny_patch16_224", {"mlp_ratio": 1e300}),
        ("swin_tiny_patch4_window7_224", {"window_size": 900_000}),
        ("swin_tiny_patch4_window7_224", {"depths": [900_000, 1, 1, 1]}),
        ("swin_tiny_patch4_window7_224", {"depths": [10**6] * 200}),
        ("beit_base_patch16_224", {"img_size": 4096}),
        ("levit_128", {"img_size": 4096}),
        ("convnext_atto", {"depths": [900_000]}),
        ("efficientnet_b0", {"stem_size": 900_000}),
        ("torchvision:resnet18", {"width_per_group": 10**9}),
        ("torchvision:vit_b_16", {"image_size": 10**6}),
        ("torchvision:densenet121", {"growth_rate": 900_000}),
    ],
)
def test_sizes_are_bounded_by_what_the_file_holds(model, arguments, state, tmp_path):
    recorded = {"model": model.removeprefix("torchvision:"), "model_kwargs": arguments}
    torch.save({"state_dict": state, "args": recorded}, tmp_path / "last.pth")
    with pytest.raises(ErrlensError) as failure:
        load_network(checkpoint=tmp_path / "last.pth")
    assert failure.value.exit_code == 3


@pytest.mark.parametrize(
    "recorded",
    [
        {"img_size": 10**6},
        {"img_size": 10**400},
        {"input_size": [3, 10**6, 10**6]},
        {"input_size": [10**6, 8, 8]},
        {"val_crop_size": 10**6, "val_resize_size": 10**6},
    ],
)
def test_recorded_images_are_no_larger_than_images_are(recorded, state, tmp_path):
    torch.save({"model": state, "args": {"arch": "test_resnet", **recorded}}, tmp_path / "w.pth")
    with pytest.raises(BadCheckpoint, match="4096 pixels") as failure:
        load_classifier(ModelSpec(checkpoint=tmp_path / "w.pth"), labels=("a", "b", "c"))
    assert "--img-size" in failure.value.hint
    said = ModelSpec(checkpoint=tmp_path / "w.pth", overrides={"img_size": 32})
    assert load_classifier(said, labels=("a", "b", "c")).preparation.img_size == (32, 32)


@pytest.mark.parametrize(
    "recorded",
    [
        {"crop_pct": 1e-300},
        {"crop_pct": float("nan")},
        {"val_crop_size": 8, "val_resize_size": 10**400},
        {"mean": [float("nan")] * 3},
        {"std": [0.0] * 3},
        {"mean": "x" * 3},
        {"crop_mode": "os.system"},
        {"crop_mode": ["center"]},
        {"interpolation": {"a": 1}},
        {"img_size": True},
        {"img_size": -1},
        {"input_size": [3, 0, 0]},
        {"label_names": ["x" * 10_000] * 3},
        {"classes": {10**500: "a"}},
        {"classes": {"9" * 5000: "a"}},
        {"classes": [["a"], ["b"], ["c"]]},
        {"class_to_idx": {"a": 10**500}},
        {"classes": {0: 1, 1: 2, 2: 3}},
    ],
)
def test_recorded_settings_that_are_none_are_left_alone(recorded, state, tmp_path):
    torch.save({"model": state, "args": {"arch": "test_resnet", **recorded}}, tmp_path / "w.pth")
    found = load_classifier(ModelSpec(checkpoint=tmp_path / "w.pth"), labels=("a", "b", "c"))
    plain = load_classifier(
        ModelSpec(name="test_resnet", checkpoint=tmp_path / "w.pth"), labels=("a", "b", "c")
    )
    assert found.preparation.crop_pct == plain.preparation.crop_pct
    assert found.classes.names == ("a", "b", "c")


NAMES = [
    "hf-hub:someone/something", "hf_hub:someone/something", "local-dir:c", "timm:resnet18",
    "trap:spring", "os:abort", "http://192.0.2.1/x", "../../etc/passwd", "x" * 1_000_000,
    "torchvision:nothing", "test_resnet.nothing", "", "\x00", "trap.spring", "timm/",
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "name"),
    [*((in_training, name) for name in NAMES), (in_folder, NAMES[0]), (in_metadata, NAMES[0])],
    ids=lambda one: getattr(one, "__name__", str(one))[:30],
)
def test_a_recorded_architecture_is_a_librarys_or_nothing(
    place, name, state, tmp_path, monkeypatch
):
    (tmp_path / "trap.py").write_text(
        "open('sprung', 'w')\ndef spring(**_):\n    raise SystemExit\n"
    )
    monkeypatch.chdir(tmp_path)
    path = place(tmp_path / "c", state, {"architecture": name})
    assert load_network(checkpoint=path).name == "test_resnet"  # by its tensors
    assert load_network("test_resnet", checkpoint=path).name == "test_resnet"
    assert not (tmp_path / "sprung").exists()


def test_the_users_own_word_still_decides(state, tmp_path):
    config = {"architecture": "test_resnet", "model_args": {"act_layer": "relu", "drop_rate": 0.1}}
    path = in_folder(tmp_path / "c", state, config)
    network = load_network(checkpoint=path, arguments={"act_layer": "gelu"})
    assert network.arguments == {"act_layer": "gelu", "drop_rate": 0.1}
    assert "GELU" in {type(layer).__name__ for layer in network.module.modules()}


@pytest.mark.parametrize(
    "arguments",
    [{"act_layer": "nonsense"}, {"cardinality": 0}, {"stem_width": 10**7}, {"channels": 5}],
)
def test_the_users_own_mistake_is_a_sentence(arguments, state, tmp_path):
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ErrlensError) as failure:
        load_network("test_resnet", checkpoint=tmp_path / "w.pth", arguments=arguments)
    assert failure.value.exit_code == 3
    assert "--model-kwargs" in failure.value.hint


@pytest.mark.parametrize("place", PLACES)
def test_every_door_refuses_and_leaves_nothing_behind(place, state, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = {"architecture": "test_resnet", "model_args": EVIL[1]}
    path = str(place(tmp_path / "c", state, config))
    block = {"data": str(photos), "checkpoint": path}
    (tmp_path / "c.yaml").write_text(json.dumps({"out": "run", "evaluate": block}))
    before = sorted(tmp_path.rglob("*"))
    photo = str(photos / "red" / "0.png")
    for command in (
        ["evaluate", str(photos), "--checkpoint", path, "-o", "run"],
        ["evaluate", str(photos), "--model", "test_resnet", "--checkpoint", path, "-o", "run"],
        ["explain", photo, "--checkpoint", path, "-o", "one"],
        ["network", "probe", str(photos), "--checkpoint", path, "--save-head", "h.safetensors"],
        ["cache-key", "c.yaml"],
        ["run", "c.yaml"],
    ):
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 3, said.output
        assert "pretrained=True" in said.output
    assert sorted(tmp_path.rglob("*")) == before

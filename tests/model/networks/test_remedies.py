"""What is said of checkpoints that do not fit; whatever is proposed must give the predictions."""

import ast
import shlex

import pytest
import timm
import torch
import torchvision
from torch import nn

from errlens.errors import ErrlensError, IncompatibleCheckpoint, NoClassifier, UnfitOption
from errlens.model.networks.loading import HeadSpec, load_network
from errlens.model.networks.trials import try_out
from errlens.model.weights.checkpoints import Checkpoint


def network(name="test_vit", **arguments) -> nn.Module:
    torch.manual_seed(1)
    return timm.create_model(name, **{"num_classes": 3, **arguments}).eval()


def saved(state, tmp_path):
    torch.save(state, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def failure(name, path, **options) -> ErrlensError:
    with pytest.raises(ErrlensError) as failed:
        load_network(name, checkpoint=path, **options)
    return failed.value


def typed(name, path, hint) -> nn.Module:
    """Load a checkpoint with the options that a hint proposes, as a shell would read them."""
    words = shlex.split(hint.partition("add ")[2].partition(";")[0].partition(" and ")[0])
    pairs = list(zip(words[::2], words[1::2], strict=True))
    given = {key: value for key, value in pairs if key != "--model-kwargs"}
    arguments = [value.partition("=") for key, value in pairs if key == "--model-kwargs"]
    size = given.get("--img-size")
    return load_network(
        given.get("--model", name),
        checkpoint=path,
        img_size=int(size) if size else None,
        head=HeadSpec(given.get("--head")),
        arguments={key: _read(value) for key, _, value in arguments},
    ).module


def _read(value):
    try:
        return ast.literal_eval(value)
    except ValueError:
        return value


def agree(ours, theirs, *, channels=3, size):
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(images), theirs(images))


VARIED = {
    "one channel": ({"in_chans": 1}, "in_chans=1"),
    "another image size": ({"img_size": 96}, "img_size=96"),
    "another patch": ({"img_size": 64, "patch_size": 8}, "patch_size=8"),
    "fewer blocks": ({"depth": 4}, "depth=4"),
    "mean of the tokens": ({"global_pool": "avg"}, "global_pool=avg"),
    "no class token": ({"class_token": False, "global_pool": "avg"}, "class_token=False"),
    "registers": ({"reg_tokens": 4}, "reg_tokens=4"),
    "scaled layers, another size": ({"init_values": 1e-5, "img_size": 64}, "init_values=1e-05"),
    "all of it": ({"in_chans": 1, "img_size": 80, "patch_size": 8, "depth": 3}, "depth=3"),
}


@pytest.mark.parametrize("kind", VARIED)
def test_arguments_that_the_tensors_tell_are_proposed_and_give_the_predictions(kind, tmp_path):
    arguments, says = VARIED[kind]
    theirs = network(**arguments)
    path = saved({f"module.{name}": value for name, value in theirs.state_dict().items()}, tmp_path)
    failed = failure("test_vit", path)
    assert isinstance(failed, IncompatibleCheckpoint)
    assert says in str(failed)
    size = arguments.get("img_size", 160)
    channels = arguments.get("in_chans", 3)
    agree(typed("test_vit", path, failed.hint), theirs, channels=channels, size=size)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resnet18", {"in_chans": 1}),
        ("convnext_atto", {"in_chans": 1}),
        ("deit_tiny_distilled_patch16_224", {"img_size": 96}),
        ("coatnet_nano_rw_224", {"img_size": 128}),
    ],
)
def test_that_holds_for_other_families(name, arguments, tmp_path):
    with torch.device("meta"):
        state = timm.create_model(name, num_classes=3, **arguments).state_dict()
    trial = try_out(Checkpoint(tmp_path / "w.pth", state), name, {})
    assert trial.fits
    assert dict(trial.arguments) == arguments


def test_without_a_name_the_architecture_is_proposed_with_its_arguments(tmp_path):
    theirs = network(img_size=96)
    path = saved(theirs.state_dict(), tmp_path)
    failed = failure(None, path)
    assert isinstance(failed, UnfitOption)
    assert failed.hint == "add --model test_vit --img-size 96"
    agree(typed(None, path, failed.hint), theirs, size=96)


def test_another_architecture_is_proposed_with_the_arguments_that_make_it_fit(tmp_path):
    path = saved(network(img_size=96).state_dict(), tmp_path)
    assert failure("test_resnet", path).hint.endswith("--model test_vit --img-size 96")


def test_an_architecture_that_does_not_fit_either_is_not_proposed(tmp_path):
    path = saved(network(embed_dim=96).state_dict(), tmp_path)  # how many heads, nobody can tell
    for name in ("test_resnet", "test_vit", None):
        assert "test_vit" not in failure(name, path).hint


def test_a_network_of_torchvision_is_proposed_for_its_tensors(tmp_path):
    theirs = torchvision.models.squeezenet1_1(num_classes=3)
    path = saved(theirs.state_dict(), tmp_path)
    hint = failure("test_resnet", path).hint
    assert hint.endswith("--model torchvision:squeezenet1_1")
    assert load_network(checkpoint=path).name == "torchvision:squeezenet1_1"


def test_images_of_four_channels_need_a_transform(tmp_path):
    path = saved(network("test_resnet", in_chans=4).state_dict(), tmp_path)
    for name in ("test_resnet", None):
        hint = failure(name, path).hint
        assert "in_chans=4" in hint
        assert "--transform" in hint


# Heads


def in_a_sequential(body, head):
    return {**body, **{f"fc.1.{key}": value for key, value in head.items()}}


def beside_a_backbone(body, head):
    return {
        **{f"net.backbone.{key}": value for key, value in body.items()},
        **{f"net.classifier.{key}": value for key, value in head.items()},
    }


def in_a_sequential_of_all(body, head):
    return {
        **{f"0.{key}": value for key, value in body.items()},
        **{f"1.{key}": value for key, value in head.items()},
    }


def split(module, head="fc"):
    state = module.state_dict()
    body = {key: value for key, value in state.items() if not key.startswith(f"{head}.")}
    return body, {kind: state[f"{head}.{kind}"] for kind in ("weight", "bias")}


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        (in_a_sequential, "fc.1"),
        (beside_a_backbone, "net.classifier"),
        (in_a_sequential_of_all, "1"),
    ],
)
@pytest.mark.parametrize("name", ["test_resnet", None])
def test_a_head_of_another_name_is_named_and_taken_when_it_is_said(kind, layer, name, tmp_path):
    theirs = network("test_resnet")
    path = saved(kind(*split(theirs)), tmp_path)
    failed = failure(name, path)
    assert f"its last layer is called {layer!r}, not 'fc'" in str(failed)
    agree(typed(name, path, failed.hint), theirs, size=64)


def test_a_head_that_is_not_there_is_answered_with_the_layers_that_are(tmp_path):
    path = saved(in_a_sequential(*split(network("test_resnet"))), tmp_path)
    failed = failure("test_resnet", path, head=HeadSpec("head"))
    assert isinstance(failed, UnfitOption)
    assert "'fc.1'" in failed.hint


def of_several_layers(body):
    return body | {
        "fc.0.weight": torch.ones(8, 96),
        "fc.0.bias": torch.ones(8),
        "fc.2.weight": torch.ones(3, 8),
        "fc.2.bias": torch.ones(3),
    }


def with_a_margin(body):
    return body | {"arcface.weight": torch.ones(3, 96)}


def with_a_projector(body):
    projector = {"projector.0.weight": torch.ones(8, 96), "projector.1.weight": torch.ones(8)}
    return {**{f"encoder.{key}": value for key, value in body.items()}, **projector}


def alone(body):
    return {f"module.{key}": value for key, value in body.items()}


@pytest.mark.parametrize("kind", [of_several_layers, with_a_margin, with_a_projector, alone])
def test_a_network_without_a_linear_head_is_for_network_probe(kind, tmp_path):
    theirs = network("test_resnet")
    path = saved(kind(split(theirs)[0]), tmp_path)
    for name in ("test_resnet", None):
        failed = failure(name, path)
        assert isinstance(failed, NoClassifier)
        assert (failed.model, failed.arguments) == ("test_resnet", {})
        assert "errlens network probe" in failed.hint
        assert ("package.module:function" in failed.hint) == (kind is not alone)
    body = load_network("test_resnet", checkpoint=path, head=HeadSpec(new_outputs=5)).module
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(body.forward_features(images), theirs.forward_features(images))
    assert body(images).shape == (2, 5)


def test_a_body_that_lacks_something_is_not_completed_with_chance(tmp_path):
    state = split(network("test_resnet"))[0]
    del state["bn1.weight"]
    path = saved(state, tmp_path)
    assert isinstance(
        failure("test_resnet", path, head=HeadSpec(new_outputs=5)), IncompatibleCheckpoint
    )


def test_a_body_with_something_inside_that_it_has_not_is_refused(tmp_path):
    path = saved(network(pre_norm=True, num_classes=0).state_dict(), tmp_path)
    failed = failure("test_vit", path, head=HeadSpec(new_outputs=5))
    assert failed.hint == "add --model-kwargs pre_norm=True"
    assert load_network(
        "test_vit",
        checkpoint=path,
        arguments={"pre_norm": True},
        head=HeadSpec(new_outputs=5),
    )


def test_a_body_of_another_size_asks_for_the_size_before_it_gets_a_head(tmp_path):
    path = saved(network(num_classes=0, img_size=96).state_dict(), tmp_path)
    assert failure("test_vit", path).arguments == {"img_size": 96}
    assert failure("test_vit", path, head=HeadSpec(new_outputs=5)).hint == "add --img-size 96"


def test_a_network_that_is_built_without_a_classifier_has_none(tmp_path):
    path = saved(network(num_classes=0).state_dict(), tmp_path)
    failed = failure("test_vit", path, arguments={"num_classes": 0})
    assert isinstance(failed, NoClassifier)
    assert failed.arguments == {}
    found = load_network(
        "test_vit",
        checkpoint=path,
        arguments={"num_classes": 0},
        head=HeadSpec(new_outputs=5),
    )
    assert found.arguments == {}


# More, or several


def test_what_does_not_belong_to_the_network_is_left_out_by_the_lines_that_are_named(tmp_path):
    theirs = network("test_resnet")
    path = saved({"model": {**theirs.state_dict(), "criterion.weight": torch.ones(3)}}, tmp_path)
    for name in ("test_resnet", None):
        failed = failure(name, path)
        assert "all of it, and 'criterion.weight' besides" in str(failed)
        exec("\n".join(failed.code))
        agree(load_network(name, checkpoint=tmp_path / "w-part.pth").module, theirs, size=64)


def test_of_several_networks_one_is_saved_by_the_lines_that_are_named(tmp_path):
    theirs = network("test_resnet")
    state = {f"encoder_q.{key}": value for key, value in theirs.state_dict().items()}
    state |= {f"encoder_k.{key}": value + 1 for key, value in theirs.state_dict().items()}
    failed = failure("test_resnet", saved({"state_dict": state}, tmp_path))
    assert "several times: 'encoder_q.', 'encoder_k.'" in str(failed)
    exec("\n".join(failed.code))
    path = tmp_path / "w-part.pth"
    agree(load_network("test_resnet", checkpoint=path).module, theirs, size=64)


def test_names_of_another_library_are_recognised(tmp_path):
    layer = "vit.encoder.layer.{}.attention.attention.query.weight"
    path = saved({layer.format(number): torch.ones(8, 8) for number in range(4)}, tmp_path)
    for name in ("test_vit", None):
        assert "transformers" in failure(name, path).hint


def test_a_head_that_is_said_for_nothing_is_to_be_left_out(tmp_path):
    path = saved(network("test_resnet").state_dict(), tmp_path)
    assert failure("test_resnet", path, head=HeadSpec("conv1.0")).hint == "leave --head out"


def test_names_that_promise_a_billion_blocks_are_not_believed(tmp_path):
    state = {**network().state_dict(), "blocks.999999999.norm1.weight": torch.ones(64)}
    assert "depth" not in failure("test_vit", saved(state, tmp_path)).hint


@pytest.mark.parametrize("name", ["test_resnet", "torchvision:resnet18"])
def test_a_network_put_together_of_its_layers_is_saved_by_the_usual_names(name, tmp_path):
    torch.manual_seed(1)
    theirs = (
        torchvision.models.resnet18(num_classes=3) if ":" in name else network("test_resnet")
    ).eval()
    layers = list(theirs.children())
    layers.insert(-1, nn.Flatten())
    path = saved(nn.Sequential(*layers).state_dict(), tmp_path)
    failed = failure(name, path)
    assert "by other names" in str(failed)
    exec("\n".join(failed.code))
    agree(load_network(name, checkpoint=tmp_path / "w-part.pth").module, theirs, size=64)


def test_a_checkpoint_of_another_architecture_is_told_in_a_line(tmp_path):
    path = saved(network("test_resnet").state_dict(), tmp_path)
    failed = failure("test_vit", path)
    says = f"checkpoint {str(path)!r} does not fit test_vit: its tensors are those of test_resnet"
    assert str(failed) == says
    assert failed.hint == "load it as that: --model test_resnet"

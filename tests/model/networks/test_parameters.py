"""Which arguments the constructor of a network takes, and what is said of one that it does not."""

import pytest
import timm

from errlens.errors import UnfitModel
from errlens.model.networks.parameters import accepted_parameters
from errlens.model.networks.sources import find_architecture


def accepted(name: str) -> set[str]:
    architecture = find_architecture(name)
    return {*accepted_parameters(architecture.create, by_user=architecture.by_user)}


def test_every_argument_of_a_constructor_is_known():
    assert {"img_size", "patch_size", "depth", "act_layer"} <= accepted("test_vit")
    assert "pretrained" not in accepted("resnet18")


def test_the_classes_behind_all_families_of_timm_tell_their_arguments():
    families = {timm.models.model_entrypoint(name).__module__: name for name in timm.list_models()}
    for name in sorted(families.values())[::12]:
        assert {"num_classes", "in_chans", "drop_rate"} <= accepted(name), name


@pytest.mark.parametrize(
    ("model", "arguments", "refused", "near"),
    [
        ("test_resnet", {"output_strde": 16}, "output_strde", "output_stride"),
        ("test_resnet", {"drop_rate": 0.1, "output_strde": 16}, "output_strde", "output_stride"),
        ("test_vit", {"patchsize": 8}, "patchsize", "patch_size"),
        ("torchvision:resnet18", {"width_pergroup": 64}, "width_pergroup", "width_per_group"),
    ],
)
def test_the_argument_that_is_refused_is_named_alone_with_one_called_alike(
    model, arguments, refused, near
):
    architecture = find_architecture(model)
    with pytest.raises(UnfitModel) as failure:
        architecture.build(architecture.create, arguments, outputs=3)
    assert str(failure.value).startswith(f"{architecture.name} does not take {refused}: ")
    assert failure.value.hint.startswith(f"did you mean {near}")


def test_an_argument_called_like_none_leads_to_the_option():
    architecture = find_architecture("test_resnet")
    with pytest.raises(UnfitModel) as failure:
        architecture.build(architecture.create, {"zzz": 1}, outputs=3)
    assert failure.value.hint == "see --model-kwargs"

"""One small network of each family of timm: all methods are tried on them.

The table in the guide to `errlens explain` is made of `families.csv` beside the methods. After a
change of a method::

    python -m tests.attribution.families
"""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import timm
import torch
from timm.models.vgg import VGG
from torch import nn

import errlens.attribution.methods as methods
from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.attribution.methods import load_method, method_names
from errlens.errors import ErrlensError

SIDE: Final = 64
CLASSES: Final = 5
FILE: Final = Path(methods.__file__).with_name("families.csv")

_ONE_OF_EACH: Final[dict[str, Any]] = {"layers": (1, 1, 1, 1)}
_SMALL_VIT: Final[dict[str, Any]] = {"depth": 2, "img_size": SIDE}
FAMILIES: Final[dict[str, Callable[..., nn.Module]]] = {
    "resnet": partial(timm.create_model, "resnet18", **_ONE_OF_EACH),
    "resnext": partial(timm.create_model, "resnext50_32x4d", **_ONE_OF_EACH),
    "wide_resnet": partial(timm.create_model, "wide_resnet50_2", **_ONE_OF_EACH),
    "vgg": partial(VGG, [8, "M", 16, "M", 16, "M", 16], mlp_ratio=0.05),
    "densenet": partial(timm.create_model, "densenet121", block_config=(2, 2, 2, 2)),
    "efficientnet": partial(timm.create_model, "efficientnet_b0"),
    "efficientnet-lite": partial(timm.create_model, "tf_efficientnet_lite0"),
    "mobilenetv3": partial(timm.create_model, "mobilenetv3_small_050"),
    "regnet": partial(timm.create_model, "regnety_002"),
    "convnext": partial(timm.create_model, "convnext_atto", depths=(1, 1, 1, 1)),
    "vit": partial(timm.create_model, "vit_tiny_patch16_224", **_SMALL_VIT),
    "deit": partial(timm.create_model, "deit_tiny_patch16_224", **_SMALL_VIT),
    "swin": partial(
        timm.create_model, "swin_tiny_patch4_window7_224", depths=(1, 1, 2, 1), img_size=SIDE
    ),
    "maxvit": partial(timm.create_model, "maxvit_rmlp_pico_rw_256", img_size=SIDE),
    "mixer": partial(timm.create_model, "mixer_s32_224", img_size=SIDE),
}


def network_of(family: str) -> nn.Module:
    """Return a network of float64 with random weights whose logits differ by image and class."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = FAMILIES[family](num_classes=CLASSES).eval().double()
        with torch.no_grad():
            for name, weight in module.named_parameters():
                if weight.ndim > 1 and not weight.any():
                    weight.normal_(0, 0.02)  # heads that begin at zero
                if name.endswith("gamma") or "layer_scale" in name:
                    weight.fill_(0.5)  # what begins as good as nothing
            _train_statistics(module)
    return module


def _train_statistics(module: nn.Module) -> None:
    """Let batch normalisations see some images, so that activations are of the usual size."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.train()
            part.momentum = 1.0
    module(torch.randn(8, 3, SIDE, SIDE, dtype=torch.float64))
    module.eval()


def model_of(module: nn.Module) -> ExplainedModel:
    """Return a network ready to be explained."""
    one = torch.ones(3, dtype=torch.float64)
    return ExplainedModel(module, (3, SIDE, SIDE), -one, one)


def verdicts(network: nn.Module) -> dict[str, str]:
    """Return why each method does not explain a network; of one that does, nothing."""
    model = model_of(network)
    found = {}
    with borrowed(model.module):
        for name in method_names():
            try:
                found[name] = load_method(name).unsupported(model) or ""
            except ErrlensError as error:
                found[name] = str(error)
    return found


def written() -> dict[tuple[str, str], str]:
    """Return what families.csv says, by family and method."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {(row["family"], row["method"]): row["why_not"] for row in csv.DictReader(lines)}


def main() -> None:
    """Try all methods on all families and write families.csv."""
    with FILE.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(["family", "method", "why_not"])
        for family in FAMILIES:
            for method, why_not in verdicts(network_of(family)).items():
                rows.writerow([family, method, why_not])


if __name__ == "__main__":
    main()

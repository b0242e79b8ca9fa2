"""Networks as classifiers, without weights files."""

import torch
from torch import nn

from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.classifier import Classifier, Interface
from errlens.model.networks.loading import Network


def classifier_of(module: nn.Module, *, side: int, channels: int = 3) -> Classifier:
    """Return a network that takes square photos, in the terms of a classifier."""
    half = (0.5,) * channels
    used = Preprocessing((side, side), 1.0, "squash", "bilinear", half, half)
    with torch.no_grad():
        out = module(torch.zeros(1, channels, side, side))
    outputs = out.shape[1]
    names = ClassNames(tuple(f"class {n}" for n in range(outputs)))
    return Classifier(
        Network(module, "a network", {}, {}),
        used,
        names,
        torch.device("cpu"),
        Interface(side * side, outputs, 0, None),
    )

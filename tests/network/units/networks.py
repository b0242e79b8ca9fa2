"""Networks as classifiers, without weights files."""

import torch
from torch import nn

from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.classifier import Classifier, Interface
from errlens.model.networks.loading import Network


def classifier_of(module: nn.Module, *, side: int) -> Classifier:
    """Return a network that takes square photos, in the terms of a classifier."""
    used = Preprocessing((side, side), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)
    with torch.no_grad():
        out = module(torch.zeros(1, 3, side, side))
    outputs = out.shape[1]
    names = ClassNames(tuple(f"class {n}" for n in range(outputs)))
    return Classifier(
        Network(module, "a network", {}, {}),
        used,
        names,
        torch.device("cpu"),
        Interface(side * side, outputs, 0, None),
    )

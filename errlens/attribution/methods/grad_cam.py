"""Grad-CAM: which places of the last map of the network speak for the score.

R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, equations 1 and 2, without the ReLU of the latter: what speaks against the
score stays, negative.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.methods._at_layer import look, without_layer

SUMMARY: Final = "which places of the last map speak for the score; coarse, signed"
CARD: Final = Card(
    means="Which places of the last map speak for a class: its channels, each weighted by its"
    " mean slope.",
    lies="It is coarse, a cell is often a tenth of the image, and each cell has seen far "
    "beyond its own place; with heads that are not a mean and a linear layer the "
    "weights are a rough guess.",
    paper="R. R. Selvaraju et al., ICCV 2017, Grad-CAM, equations 1 and 2.",
    unit="logits, with a pooled linear head; else it compares places of one image",
)


unsupported = without_layer


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the channels of a layer, each times its mean gradient, added up.

    With global average pooling before a linear layer the map is in logits, and its sum is the logit
    without bias. With other heads its unit compares the places of one image, no more.

    Where a score does not depend on the layer there is no map, rather than a blank one.
    """
    del settings
    seen = look(model, images, targets)
    weights = seen.slopes.mean(dim=(3, 4), keepdim=True)
    return seen.maps(model, (weights * seen.activation).sum(dim=2), unit="logits (Grad-CAM)")

"""Grad-CAM: which places of the last map of the network speak for the score.

R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, equations 1 and 2, without the ReLU of the latter: what speaks against the
score stays, negative.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    gradients,
    leaves_at,
    scores_of,
)
from errlens.errors import InputError

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

UNIT: Final = "logits (Grad-CAM)"
BLIND: Final = "the score does not depend on this layer: its gradient is zero"


def unsupported(model: ExplainedModel) -> str | None:
    """Say that the network has no layer with a map of places, or no gradient from there on."""
    try:
        model.spatial_layer  # noqa: B018 - it is looked for
    except InputError as error:
        return str(error)
    return model.no_gradient_of_layer


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the channels of a layer, each times its mean gradient, added up.

    With global average pooling before a linear layer the map is in logits, and its sum is the logit
    without bias. With other heads its unit compares the places of one image, no more.

    Where a score does not depend on the layer there is no map, rather than a blank one.
    """
    del settings
    layer = model.spatial_layer
    with leaves_at(model.module, layer) as outputs:
        scores = scores_of(model.logits(images), targets)
        by_target = gradients(scores, outputs[-1])
    activation = layer.as_maps(outputs[-1].detach())
    slopes = torch.stack([layer.as_maps(slope) for slope in by_target.unbind(dim=1)], dim=1)
    blind = ~slopes.flatten(2).any(dim=2)  # whatever the class token may still have to say
    weights = slopes.mean(dim=(3, 4), keepdim=True)
    values = (weights * activation.unsqueeze(1)).sum(dim=2)
    values = values.masked_fill(blind[:, :, None, None], float("nan"))
    return Maps(
        values,
        scores.detach(),
        layer=layer.name,
        unit=UNIT,
        why_none=BLIND,
        layer_words=model.layer_words,
    )

"""Grad-CAM: which places of the last map of the network speak for the score.

R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, equations 1 and 2, without the ReLU of the latter: what speaks against the
score stays, negative.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from errlens.attribution._subject import Maps, Settings, Subject, gradients, scores_of
from errlens.errors import NoSpatialLayer
from errlens.maps import Target
from errlens.model.layers import SpatialLayer

SUMMARY: Final = "which places of the last map speak for the score; coarse, signed"
ADDS_UP: Final = True

UNIT: Final = "logits (Grad-CAM)"
BLIND: Final = "the score does not depend on this layer: its gradient is zero"


def unsupported(subject: Subject) -> str | None:
    """Say that the network has no layer with a map of places."""
    try:
        subject.spatial_layer  # noqa: B018 - it is looked for
    except NoSpatialLayer as error:
        return str(error)
    return None


def explain(
    subject: Subject, images: Tensor, targets: Sequence[Sequence[Target]], settings: Settings
) -> Maps:
    """Return the channels of a layer, each times its mean gradient, added up.

    With global average pooling before a linear layer the map is in logits, and its sum is the logit
    without bias. With other heads its unit compares the places of one image, no more.

    Where a score does not depend on the layer there is no map, rather than a blank one.
    """
    del settings
    layer = subject.spatial_layer
    with _output_of(subject.module, layer) as outputs:
        scores = scores_of(subject.logits(images), targets)
        found = gradients(scores, outputs[-1])
    activation = layer.as_maps(outputs[-1].detach())
    slopes = torch.stack([layer.as_maps(one) for one in found.unbind(dim=1)], dim=1)
    blind = ~slopes.flatten(2).any(dim=2)  # whatever the class token may still have to say
    weights = slopes.mean(dim=(3, 4), keepdim=True)
    values = (weights * activation.unsqueeze(1)).sum(dim=2)
    values = values.masked_fill(blind[:, :, None, None], float("nan"))
    return Maps(values, scores.detach(), layer=layer.name, unit=UNIT, why_none=BLIND)


@contextmanager
def _output_of(module: nn.Module, layer: SpatialLayer) -> Iterator[list[Tensor]]:
    """Let gradients begin at a layer: what comes before it keeps nothing for them."""
    kept: list[Tensor] = []

    def begin(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        # A copy, for layers that follow may work in place.
        leaf = output.detach().requires_grad_()
        kept.append(leaf)
        return leaf.clone()

    handle = module.get_submodule(layer.name).register_forward_hook(begin)
    try:
        with torch.enable_grad():
            yield kept
    finally:
        handle.remove()

"""What methods share that look at the places of one layer, as Grad-CAM does."""

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

from errlens.attribution.explained_model import (
    NOT_FINITE,
    ExplainedModel,
    Maps,
    Targets,
    gradients,
    leaves_at,
    scores_of,
)
from errlens.errors import InputError

BLIND: Final = "the score does not depend on this layer: its gradient is zero"

Scores = Callable[[Tensor, Targets], Tensor]


class AtLayer(NamedTuple):
    """What a layer puts out for n images, and how t scores of each depend on it.

    `activation` has the shape (n, 1, channels, rows, columns), `slopes`, the gradients of the
    scores with respect to it, (n, t, channels, rows, columns), `scores` the shape (n, t).
    """

    activation: Tensor
    slopes: Tensor
    scores: Tensor

    def maps(self, model: ExplainedModel, values: Tensor, *, unit: str) -> Maps:
        """Return maps of shape (n, t, rows, columns) as those of the spatial layer of a model.

        Where a score does not depend on the layer there is no map, rather than a blank one.
        """
        # Only of places: whatever the class token may still have to say.
        blind = ~self.slopes.flatten(2).any(dim=2)
        return Maps(
            values.masked_fill(blind[:, :, None, None], float("nan")),
            self.scores,
            layer=model.spatial_layer.name,
            unit=unit,
            why_none=BLIND if blind.any() else NOT_FINITE,
            layer_words=model.layer_words,
        )


def without_layer(model: ExplainedModel) -> str | None:
    """Say that a network has no layer with a map of places, or no gradient from there on."""
    try:
        model.spatial_layer  # noqa: B018 - it is looked for
    except InputError as error:
        return str(error)
    return model.no_gradient_of_layer


def look(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    *,
    compared: Scores = scores_of,
) -> AtLayer:
    """Return what the spatial layer of a model puts out, with the gradients of scores.

    Args:
        model: The network, borrowed.
        images: Shape (n, channels, height, width).
        targets: One list for each image, all of the same length t.
        compared: Makes of logits, shape (n, classes), what the gradients are of, shape (n, t).
    """
    layer = model.spatial_layer
    with leaves_at(model.module, layer) as outputs:
        logits = model.logits(images)
        by_target = gradients(compared(logits, targets), outputs[-1])
    activation = layer.as_maps(outputs[-1].detach()).unsqueeze(1)
    slopes = torch.stack([layer.as_maps(slope) for slope in by_target.unbind(dim=1)], dim=1)
    return AtLayer(activation, slopes, scores_of(logits.detach(), targets))

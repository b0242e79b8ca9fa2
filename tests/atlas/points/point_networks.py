"""Networks whose points are collected, and what they are shown."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from errlens.atlas.points.collecting import Collecting, PointsOfLayer
from errlens.atlas.points.layers import point_layers
from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.data.photos.loading import load_input
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier, stack


def ways(classifier: Classifier, names: Sequence[str]) -> dict[str, str]:
    """Return how attributions of each layer are computed: linear, or in which way of tangents."""
    layers = point_layers(ExplainedModel.of(classifier), names)
    with Collecting(classifier=classifier, layers=layers, per_image=2).ready() as collector:
        return {
            layer.name: collector.method(layer)
            if layer.name in collector.linear
            else collector.tangents[layer.name].way
            for layer in layers
        }


def points_of(
    classifier: Classifier, names: Sequence[str] | None, images: Sequence[AskedImage], **how: Any
) -> dict[str, PointsOfLayer]:
    """Return all points of layers; rows are the positions of the images."""
    layers = point_layers(ExplainedModel.of(classifier), names)
    how = {"per_image": 3, "batch_size": 4, "workers": 2, **how}
    collecting = Collecting(classifier=classifier, layers=layers, **how)
    with collecting.ready() as collector:
        batches = list(collector.points(images, range(len(images))))
    return {
        layer.name: PointsOfLayer(
            *(
                np.concatenate([getattr(batch.by_layer[layer.name], field) for batch in batches])
                for field in PointsOfLayer._fields[:4]
            ),
            [at for batch in batches for at in batch.by_layer[layer.name].not_finite],
        )
        for layer in layers
    }


def fed(classifier: Classifier, image: AskedImage) -> Tensor:
    """Return an image as the network is fed it."""
    loaded: Any = load_input(image.path, classifier.preparation)
    return stack([loaded.value], classifier.preparation, classifier.device)


def by_gradients(
    classifier: Classifier, name: str, image: AskedImage
) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits (classes,), maps, and gradient times activation at every place, by autograd.

    The shapes of the others are (channels, rows, columns) and (classes, rows, columns).
    """
    model = ExplainedModel.of(classifier)
    (layer,) = point_layers(model, [name])
    kept: list[Tensor] = []

    def begin(_part: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        kept.append(output.detach().clone().requires_grad_())
        return kept[-1].clone()

    hook = model.module.get_submodule(name).register_forward_hook(begin)
    try:
        with borrowed(model.module), torch.enable_grad():
            logits = model.logits(fed(classifier, image))[0]
            maps = layer.maps(kept[-1])
            added = [
                (layer.maps(torch.autograd.grad(logit, kept[-1], retain_graph=True)[0]) * maps)
                for logit in logits
            ]
    finally:
        hook.remove()
    return logits.detach(), maps[0].detach(), torch.cat(added).sum(dim=1).detach()


class Custom(nn.Module):
    """A network of layers that a test writes."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, images: Tensor) -> Any:
        """Do what the function says that was given."""
        return self._forward(self, images)

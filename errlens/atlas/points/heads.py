"""Layers whose places add up to the logits: what follows is a mean and an affine map."""

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

from errlens.atlas.points.layers import PointLayer, Run
from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import InputError
from errlens.model.layers.tokens import like_weights
from errlens.model.networks.user_code import user_code

_SAME: Final = 1e-4  # of the largest slope or logit: what differs by less is the same
_SCALES: Final = (1.0, -1.0, 30.0)  # of random maps, against what the layer puts out

Replace = Callable[[Tensor], Tensor]  # takes maps, returns others of the same shape


class LinearHead(NamedTuple):
    """What a place adds to the logits: `weights` times what the layer puts out there.

    `weights`, shape (classes, channels), are divided by the number of places. Of all places
    together, with `bias`, shape (classes,), that is the logits.
    """

    weights: Tensor
    bias: Tensor


def linear_head(run: Run, model: ExplainedModel, layer: PointLayer) -> LinearHead | None:
    """Return how logits are computed from a layer, if that is linear and at all places the same.

    That is seen from numbers: gradients of the logits are the same at every place, for noise as
    input and with random maps, small, large and negative, in place of the layer's; and the maps
    account for the logits whatever the input is.

    Args:
        run: Runs the network, and watches the layer.
        model: The network, borrowed.
        layer: Which of its layers.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((2, 1, *model.size), generator=generator)
    first, second = like_weights(noise, model.module)
    random = torch.randn((1, layer.channels, *layer.grid), generator=generator)

    def spread(scale: float) -> Replace:
        return lambda maps: random.to(maps) * (scale * maps.std() + maps.mean().abs())

    replaced: list[Replace] = [lambda maps: maps, *map(spread, _SCALES)]
    try:
        cases = [_Case(run, layer, image, how) for image in (first, second) for how in replaced]
        weighted = torch.randn(cases[0].logits.shape, generator=generator).to(cases[0].logits)
        slopes = torch.stack([case.slope(weighted) for case in cases])
        if not _alike(slopes, slopes[:1].mean(dim=(2, 3), keepdim=True)):
            return None
        at_zero = [_Case(run, layer, image, torch.zeros_like) for image in (first, second)]
        weights = at_zero[0].weights()
    except (InputError, RuntimeError):  # no gradient, or no second image
        return None
    head = LinearHead(weights, at_zero[0].logits.detach()[0])
    said = torch.cat([case.logits.detach() for case in (*cases, *at_zero)])
    added = torch.cat([case.maps.sum(dim=(2, 3)) for case in (*cases, *at_zero)])
    return head if _alike(said, added @ weights.T + head.bias) else None


class _Case:
    """One run of a network with maps of a layer replaced, and its slopes there."""

    def __init__(self, run: Run, layer: PointLayer, image: Tensor, replace: Replace) -> None:
        self._layer = layer

        def begin(at: PointLayer, output: Tensor) -> Tensor | None:
            if at is not layer:
                return None
            leaf = output.detach().clone(memory_format=torch.contiguous_format)
            maps = layer.maps(leaf)
            maps.copy_(replace(maps.clone()))
            self.maps = maps.clone()
            self._leaf = leaf.requires_grad_()
            return self._leaf.clone()  # layers that follow may work in place

        with torch.enable_grad():
            self.logits = run(image, begin)

    def slope(self, weighted: Tensor) -> Tensor:
        """Return the gradient of a weighted sum of the logits, shape (channels, rows, columns)."""
        with user_code("the backward of the model", images=1):
            (slope,) = torch.autograd.grad(
                self.logits, self._leaf, weighted.reshape(self.logits.shape), retain_graph=True
            )
        return self._layer.maps(slope)[0]

    def weights(self) -> Tensor:
        """Return the gradient of each logit, of all places the mean, shape (classes, channels)."""
        each = torch.eye(self.logits.shape[1], device=self.logits.device, dtype=self.logits.dtype)
        return torch.stack([self.slope(single).mean(dim=(1, 2)) for single in each])


def _alike(values: Tensor, others: Tensor) -> bool:
    """Tell whether values are the same to some digits; not where any is not finite."""
    return bool((values - others).abs().max() <= _SAME * values.abs().max())

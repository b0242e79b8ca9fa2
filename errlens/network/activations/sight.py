"""How much of an image one place of a layer sees."""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from errlens.attribution.explained_model import borrowed
from errlens.model.layers.places import SpatialLayer
from errlens.model.networks.user_code import user_code

_SEED: Final = 0


class Sight(NamedTuple):
    """The pixels of the input that a place depends on, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int


def sight_of_middle(module: nn.Module, image: Tensor, layer: SpatialLayer) -> Sight | None:
    """Return which pixels of an image the place in the middle of a layer depends on.

    That is where the gradient of its channels, weighted at random so that none cancels another, is
    not zero. Of a receptive field it is the part on the image, less what rectifiers have cut off.

    Args:
        module: The network; it is given back as it was.
        image: Shape (1, channels, height, width).
        layer: Of several runs the last counts.

    Returns:
        None where there is no gradient, or it is zero.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    kept: list[Tensor] = []
    leaf = image.detach().clone().requires_grad_()
    watched = module.get_submodule(layer.name)
    with borrowed(module), torch.enable_grad():
        # A copy, for layers that follow may work in place.
        handle = watched.register_forward_hook(lambda _l, _i, output: kept.append(output.clone()))
        try:
            with user_code("the forward of the model", images=1):
                module(leaf.clone())
        finally:
            handle.remove()
        if not kept[-1].requires_grad:
            return None
        maps = layer.as_maps(kept[-1])
        random = torch.Generator().manual_seed(_SEED)
        weights = torch.rand(maps.shape[1], generator=random).to(maps)
        middle = maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2]
        with user_code("the backward of the model", images=1):
            (slope,) = torch.autograd.grad(middle @ weights, leaf, allow_unused=True)
    if slope is None or not slope.any():
        return None
    rows, columns = (slope[0].abs().sum(dim=(0, axis)).nonzero() for axis in (2, 1))
    return Sight(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)

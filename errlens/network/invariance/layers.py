"""The first layer of a network and the last with places, whose features are compared."""

from collections.abc import Sequence

from torch import nn

from errlens.errors import UnfitLayer
from errlens.model.layers.hooks import is_scripted
from errlens.model.layers.places import SpatialLayer, find_layer, spatial_layers
from errlens.model.layers.runs import run_layers
from errlens.network.capture import find_layer_or_name_one


def compared_layers(
    module: nn.Module, size: tuple[int, int, int], names: Sequence[str] | None = None
) -> list[SpatialLayer]:
    """Return layers by name; without names the first with weights and places, and the last.

    Args:
        module: The network; it is run on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        names: Of layers, each counts once.

    Raises:
        UnfitLayer: There is no layer of a name, it has no map of places, or cannot be watched.
        NoSpatialLayer: No layer has one.
    """
    if names:
        found = [find_layer_or_name_one(module, size, name) for name in dict.fromkeys(names)]
    else:
        last = find_layer(module, size)
        found = [_first(module, size) or last]
        found += [last] * (found[0].name != last.name)
    parts = dict(module.named_modules())
    for layer in found:
        if is_scripted(parts[layer.name]):
            raise UnfitLayer(f"layer {layer.name!r} cannot be watched: it is a script of torch.jit")
    return found


def _first(module: nn.Module, size: tuple[int, int, int]) -> SpatialLayer | None:
    """Return the layer with weights and places that comes to an end first."""
    known = spatial_layers(module, size)
    return next(
        (
            known[call.name]
            for call in run_layers(module, size).calls
            if call.name in known and any(True for _ in call.layer.parameters())
        ),
        None,
    )

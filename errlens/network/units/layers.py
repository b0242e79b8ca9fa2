"""The layers whose units are looked at, and which of their channels."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.errors import UnfitLayer, UnfitOption
from errlens.formats import counted
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.layers.runs import run_layers
from errlens.model.layers.tokens import like_weights
from errlens.model.networks.user_code import user_code

MOST_LAYERS: Final = 4  # where none is named

Channels = NDArray[np.intp]


class UnitLayer(NamedTuple):
    """A layer with a map of places for each of its channels.

    `calls` is how often it runs for an input; what it puts out the last time counts.
    """

    spatial: SpatialLayer
    channels: int
    calls: int = 1

    @property
    def name(self) -> str:
        """What the network calls it."""
        return self.spatial.name

    @property
    def columns(self) -> int:
        """How many places are in a row of its map."""
        return self.spatial.grid[1]


def unit_layers(
    module: nn.Module, size: tuple[int, int, int], names: Sequence[str] | None = None
) -> list[UnitLayer]:
    """Return layers by name; without names the last of each size of map, the latest four.

    Args:
        module: The network; it is run on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        names: Of layers, each counts once.

    Raises:
        UnfitLayer: There is no layer of a name, or it has no map of places.
        NoSpatialLayer: No layer has one.
    """
    if names is None:
        spatial = _last_of_each_grid(module, size)
    else:
        spatial = [find_layer(module, size, name) for name in dict.fromkeys(names)]
    shapes = _shapes(module, size, spatial)
    for layer in spatial:
        if layer.name not in shapes:  # that of a script
            raise UnfitLayer(f"layer {layer.name!r} cannot be watched: it is a script of torch.jit")
    return [UnitLayer(layer, *shapes[layer.name]) for layer in spatial]


def drawn_channels(layer: UnitLayer, n: int, *, seed: int) -> Channels:
    """Draw channels of a layer, ascending; all of them where it has no more.

    What is drawn of a layer does not depend on which other layers are looked at.
    """
    random = np.random.default_rng(seed)
    return np.sort(random.choice(layer.channels, size=min(n, layer.channels), replace=False))


def check_channels(layer: UnitLayer, channels: Sequence[int]) -> Channels:
    """Return channels that were named, each once, in their order.

    Raises:
        UnfitOption: The layer has no such channel.
    """
    absent = [channel for channel in channels if not 0 <= channel < layer.channels]
    if absent:
        has = "channel 0 alone" if layer.channels == 1 else f"channels 0 to {layer.channels - 1}"
        raise UnfitOption(
            f"layer {layer.name!r} has no channel {absent[0]}: it has "
            f"{counted(layer.channels, 'channel')}",
            hint=f"they count from 0: it has {has}",
        )
    return np.array(list(dict.fromkeys(channels)), np.intp)


def _last_of_each_grid(module: nn.Module, size: tuple[int, int, int]) -> list[SpatialLayer]:
    """Return the last layer of each size of map before pooling, the latest few."""
    last = find_layer(module, size)  # refuses a network without one
    run = run_layers(module, size)
    by_grid = {last.grid: last}
    for at in range(run.last(last.name) or 0, -1, -1):
        call = run.calls[at]
        if len(by_grid) == MOST_LAYERS:
            break
        if run.last(call.name) != at or not run.has_places(call.shape):
            continue
        if _may_be_new(call.shape, by_grid):
            with suppress(UnfitLayer):  # where its channels are cannot be told
                layer = find_layer(module, size, call.name)
                by_grid.setdefault(layer.grid, layer)
    return list(by_grid.values())[::-1]


def _may_be_new(shape: tuple[int, ...], grids: Collection[tuple[int, int]]) -> bool:
    """Tell whether an output of this shape may be a map of another size than some."""
    return len(shape) == 4 and not {shape[2:], shape[1:3]} & {*grids}


def _shapes(
    module: nn.Module, size: tuple[int, int, int], layers: Sequence[SpatialLayer]
) -> dict[str, tuple[int, int]]:
    """Return the channels of layers and how often each runs."""
    by_name = {layer.name: layer for layer in layers}
    shapes: dict[str, tuple[int, int]] = {}

    def note(name: str, _layer: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        _, calls = shapes.get(name, (0, 0))
        channels = by_name[name].as_maps(output).shape[1] if isinstance(output, Tensor) else 0
        shapes[name] = channels, calls + 1

    image = like_weights(torch.zeros((1, *size)), module)
    with torch.no_grad(), watched(module, by_name, note), user_code("the forward of the model"):
        module(image)
    return shapes

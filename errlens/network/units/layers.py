"""The layers whose units are looked at, and which of their channels."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from errlens.errors import UnfitLayer, UnfitOption
from errlens.formats import counted
from errlens.model.layers.hooks import is_scripted
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.layers.runs import Run, run_layers
from errlens.network.capture import find_layer_or_name_one

MOST_LAYERS: Final = 4  # where none is named
_LIMITED: Final = (nn.Hardtanh,)  # ReLU6 is one

Channels = NDArray[np.intp]


class UnitLayer(NamedTuple):
    """A layer with a map of places for each of its channels.

    `calls` is how often it runs for an input; what it puts out the last time counts. `limit` is the
    activation by name that puts out what the layer does, where that has an upper limit, as ReLU6.
    Then what that is given decides which unit fires more: at the limit all values are the same, and
    have no gradient.
    """

    spatial: SpatialLayer
    channels: int
    calls: int = 1
    limit: str | None = None

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
        spatial = [find_layer_or_name_one(module, size, name) for name in dict.fromkeys(names)]
    run, parts = run_layers(module, size), dict(module.named_modules())
    for layer in spatial:
        if is_scripted(parts[layer.name]):
            raise UnfitLayer(f"layer {layer.name!r} cannot be watched: it is a script of torch.jit")
    return [_unit_layer(layer, run) for layer in spatial]


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


def _unit_layer(layer: SpatialLayer, run: Run) -> UnitLayer:
    """Describe a layer that has run."""
    place = run.last(layer.name)
    assert place is not None  # noqa: S101 - else it would not be found
    shape = run.calls[place].shape
    channels = shape[1] if layer.layout == "NCHW" else shape[-1]
    calls = _calls(layer.name, run)
    while run.calls[place].passed_on and not isinstance(run.calls[place].layer, _LIMITED):
        place -= 1
    name, part, *_ = run.calls[place]
    limited = isinstance(part, _LIMITED) and _calls(name, run) == calls
    return UnitLayer(layer, channels, calls, name if limited else None)


def _calls(name: str, run: Run) -> int:
    return sum(call.name == name for call in run.calls)

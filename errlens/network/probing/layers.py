"""The layers that are probed: which by default, and how one is read."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from torch import Tensor, nn

from errlens.errors import NoSpatialLayer, UnfitLayer
from errlens.model.layers.hooks import is_scripted
from errlens.model.layers.places import SpatialLayer, find_layer, spatial_layers
from errlens.model.layers.runs import Call, Run, run_layers

PENULTIMATE: Final = "penultimate"  # what the last layer is fed, whatever makes it
MOST_LAYERS: Final = 11  # of `all`, before the penultimate one

_NUMBERED: Final = re.compile(r"\d$")
_KEEPS_PLACES: Final = (
    nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish,
    nn.LeakyReLU, nn.ELU, nn.Identity, nn.Dropout,
)  # fmt: skip


class ProbedLayer(NamedTuple):
    """A layer, and where in its output the places are; None where it puts out a vector."""

    name: str
    spatial: SpatialLayer | None

    def means(self, output: Tensor) -> Tensor:
        """Return the mean of each channel over its places, float of shape (n, channels)."""
        if self.spatial is None:
            return output.flatten(1).float()
        return self.spatial.as_maps(output).float().mean(dim=(2, 3))


def probed_layers(
    module: nn.Module, size: tuple[int, int, int], names: Sequence[str]
) -> list[ProbedLayer]:
    """Return layers by name, each once, in the order in which they run.

    Args:
        module: The network; it is run on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        names: Of layers with a map of places, or that put out a vector.

    Raises:
        UnfitLayer: There is no layer of a name, or it puts out something else.
        NoSpatialLayer: The network is a script of torch.jit.
    """
    run = _run(module, size)
    parts = dict(module.named_modules())
    found = [_named(name, run, module, size) for name in dict.fromkeys(names)]
    for layer in found:
        if is_scripted(parts[layer.name]):
            raise UnfitLayer(f"layer {layer.name!r} cannot be watched: it is a script of torch.jit")
    return sorted(found, key=lambda layer: run.last(layer.name) or 0)


def all_layers(module: nn.Module, size: tuple[int, int, int]) -> list[ProbedLayer]:
    """Return the stages of a network, in the order in which they run, eleven at most.

    Stages are the outermost layers with a map of places whose names end with a number, as `layer3`
    or `blocks.2`. Of more than eleven the last of each size of map are kept, and others evenly.

    Args:
        module: The network; it is run on zeros and left as it was.
        size: (channels, height, width) of its inputs.

    Raises:
        NoSpatialLayer: The network is a script of torch.jit.
    """
    run = _run(module, size)
    maps = spatial_layers(module, size)
    ends = {call.name: at for at, call in enumerate(run.calls) if run.last(call.name) == at}
    numbered = sorted((name for name in maps if _NUMBERED.search(name)), key=ends.__getitem__)
    stages = [
        run.calls[ends[name]]
        for name in numbered
        if not any(name.startswith(f"{other}.") for other in numbered)
    ]
    calls = [
        call
        for at, call in enumerate(stages)
        if at + 1 == len(stages) or not _goes_on(call, stages[at + 1])
    ] or [run.calls[ends[name]] for name in sorted(maps, key=ends.__getitem__)]
    grids = [maps[call.name].grid for call in calls]
    return [ProbedLayer(calls[at].name, maps[calls[at].name]) for at in _handful(grids)]


def _run(module: nn.Module, size: tuple[int, int, int]) -> Run:
    if is_scripted(module):
        raise NoSpatialLayer("its layers cannot be looked into: it is a script of torch.jit")
    return run_layers(module, size)


def _named(name: str, run: Run, module: nn.Module, size: tuple[int, int, int]) -> ProbedLayer:
    """Return one layer: a vector, or what has places."""
    at = run.last(name) if name else None
    if at is not None:
        shape = run.calls[at].shape
        is_vector = len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1))
        if is_vector and shape[0] == run.images:
            return ProbedLayer(name, None)
    return ProbedLayer(name, find_layer(module, size, name))


def _goes_on(call: Call, after: Call) -> bool:
    """Tell whether the layer after a convolution or the like only normalizes or rectifies."""
    return (
        not [*call.layer.children()]
        and isinstance(after.layer, _KEEPS_PLACES)
        and call.shape == after.shape
    )


def _handful(grids: Sequence[tuple[int, int]]) -> list[int]:
    """Return the places of a few layers: the last of each grid, and others evenly."""
    if len(grids) <= MOST_LAYERS:
        return list(range(len(grids)))
    lasts = sorted({grid: at for at, grid in enumerate(grids)}.values())[-MOST_LAYERS:]
    others = [at for at in range(len(grids)) if at not in lasts]
    evenly = np.linspace(0, len(others) - 1, MOST_LAYERS - len(lasts)).round().astype(int)
    return sorted({*lasts, *(others[at] for at in evenly.tolist())})

"""Which layer of a network holds its last map of places, and how its output is laid out."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal, NamedTuple

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn

from errlens.errors import NoSpatialLayer, UnfitLayer, nearest

Layout = Literal["NCHW", "NHWC", "tokens"]

IMAGES: Final = 2  # so that the first axis of an output can be told from windows and heads

# What such a layer puts out is laid out so; timm's LayerNorm2d is a LayerNorm, but of channels.
_CHANNELS_FIRST: Final = (nn.Conv2d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, LayerNorm2d)
_IDLE: Final = (nn.Identity, nn.Dropout, nn.Dropout2d)
_POOLING: Final = "attn_pool."  # timm's pooling by attention holds tokens, too
_CHANNELS_LAST: Final = (nn.LayerNorm, nn.RMSNorm, nn.Linear)


class SpatialLayer(NamedTuple):
    """A layer by name, and how its output is laid out.

    `grid` are rows and columns of places; `prefix` tokens come before them that stand for no place:
    the class token, registers.
    """

    name: str
    layout: Layout
    grid: tuple[int, int]
    prefix: int = 0

    def as_maps(self, output: Tensor) -> Tensor:
        """Return an output of the layer as (n, channels, rows, columns); gradients pass."""
        if self.layout == "NCHW":
            return output
        if self.layout == "NHWC":
            return output.permute(0, 3, 1, 2)
        places = output[:, self.prefix :].transpose(1, 2)
        return places.reshape(*places.shape[:2], *self.grid)


class _Call(NamedTuple):
    """A layer that ran: its name, what it put out, and whether that is what it was given."""

    name: str
    layer: nn.Module
    shape: tuple[int, ...]
    passed_on: bool


def find_layer(
    module: nn.Module, size: tuple[int, int, int], name: str | None = None
) -> SpatialLayer:
    """Find a layer with a map of places; without a name, the last one that the outputs see.

    That is the last map before pooling or, where only the class token of a transformer is looked
    at, the input of the last attention: what follows it no other token has a say in.

    Args:
        module: The network; it is run once on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        name: A layer of the user's choice.

    Raises:
        UnfitLayer: There is no layer of this name, or it has no map of places.
        NoSpatialLayer: No layer has one, or where its places are cannot be told.
    """
    calls = _calls(module, size)
    if name is not None:
        return _named(name, calls, module)
    if getattr(module, "global_pool", None) == "token" and _token_grid(module):
        last = len(module.get_submodule("blocks")) - 1  # type: ignore[arg-type]
        return _named(f"blocks.{last}.norm1", calls, module)
    maps = [
        (place, one)
        for place, one in enumerate(calls)
        if _grid_of(one.shape, module) and not one.name.startswith(_POOLING)
    ]
    if not maps:
        raise NoSpatialLayer("none of its layers has a map of places")
    place, call = maps[-1]
    later = [one for one in calls[place:] if len(one.shape) == 3 and one.shape[1] > 1]
    if later and len(call.shape) == 4 and not _token_grid(module):
        raise NoSpatialLayer(
            f"after {call.name!r} its places become tokens ({later[-1].name!r}), and where these "
            "are is not known"
        )
    return _last_of_known_layout(place, calls, module)


def _last_of_known_layout(place: int, calls: list[_Call], module: nn.Module) -> SpatialLayer:
    """Return a layer, or the last one before that holds the same, of which the layout is known.

    Raises:
        NoSpatialLayer: There is none.
    """
    values = math.prod(calls[place].shape)
    for at in range(place, -1, -1):
        call = _outermost(calls, at)
        if math.prod(call.shape) == values and _grid_of(call.shape, module):
            with suppress(NoSpatialLayer):
                return _spatial(call, calls, module)
    raise NoSpatialLayer(f"where the channels of layer {calls[place].name!r} are cannot be told")


def _named(name: str, calls: list[_Call], module: nn.Module) -> SpatialLayer:
    """Return a layer that somebody chose; of one that runs several times the last call."""
    layers = [one for one, _ in module.named_modules() if one]
    if name not in layers:
        near = nearest(name, layers)
        raise UnfitLayer(
            f"the network has no layer {name!r}",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    found = [one for one in calls if one.name == name]
    if not found:
        raise UnfitLayer(f"layer {name!r} does not run, or puts out no tensor")
    if not _grid_of(found[-1].shape, module):
        shape = " x ".join(map(str, found[-1].shape[1:]))
        raise UnfitLayer(f"layer {name!r} has no map of places: it puts out {shape} values")
    return _spatial(found[-1], calls, module)


def _outermost(calls: list[_Call], place: int) -> _Call:
    """Return the outermost layer that put out what a call did, not one that only passed it on.

    A stage puts out what its last block does, and so does an identity after it.
    """
    while place and calls[place].passed_on and isinstance(calls[place].layer, _IDLE):
        place -= 1
    return calls[place]


def _spatial(call: _Call, calls: list[_Call], module: nn.Module) -> SpatialLayer:
    grid = _grid_of(call.shape, module)
    assert grid is not None  # noqa: S101 - looked at before
    if len(call.shape) == 3:
        return SpatialLayer(call.name, "tokens", grid, call.shape[1] - grid[0] * grid[1])
    if _layout(call, calls, module) == "NCHW":
        return SpatialLayer(call.name, "NCHW", (call.shape[2], call.shape[3]))
    return SpatialLayer(call.name, "NHWC", (call.shape[1], call.shape[2]))


def _layout(call: _Call, calls: list[_Call], module: nn.Module) -> Layout:
    """Tell where the channels are: as in the last layer with such an output of which that is known.

    Raises:
        NoSpatialLayer: There is none.
    """
    for one in reversed(calls[: calls.index(call) + 1]):
        if one.shape == call.shape:
            if isinstance(one.layer, _CHANNELS_FIRST):
                return "NCHW"
            if isinstance(one.layer, _CHANNELS_LAST):
                return "NHWC"
    width = getattr(module, "num_features", None)
    if width in call.shape and call.shape[1] != call.shape[3]:
        return "NCHW" if call.shape[1] == width else "NHWC"
    raise NoSpatialLayer(f"where the channels of layer {call.name!r} are cannot be told")


def _grid_of(shape: tuple[int, ...], module: nn.Module) -> tuple[int, int] | None:
    """Return rows and columns of an output, either way round; None if it has no places."""
    if shape[0] != IMAGES:
        return None
    grid = _token_grid(module)
    # Some put the class token in only after the blocks.
    prefixes = (0, getattr(module, "num_prefix_tokens", 0))
    tokens = [grid[0] * grid[1] + prefix for prefix in prefixes] if grid else []
    if len(shape) == 4 and not set(shape[2:]) & set(tokens):  # or it is attention among tokens
        # More than one place, wherever the channels are.
        return (shape[2], shape[3]) if min(shape[1] * shape[2], shape[2] * shape[3]) > 1 else None
    return grid if len(shape) == 3 and shape[1] in tokens else None


def _token_grid(module: nn.Module) -> tuple[int, int] | None:
    """Return the rows and columns of a transformer's patches, if it says so."""
    for name in ("patch_embed", "stem"):
        grid = getattr(getattr(module, name, None), "grid_size", None)
        if grid:
            return int(grid[0]), int(grid[1])
    return None


def _calls(module: nn.Module, size: tuple[int, int, int]) -> list[_Call]:
    """Run a network once and return its layers in the order in which they came to an end."""
    weight = next(module.parameters(), torch.zeros(()))
    zeros = torch.zeros((IMAGES, *size), dtype=weight.dtype, device=weight.device)
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad(), _recorded(module) as calls:
            module(zeros)
    finally:
        for part, mode in modes.items():
            part.training = mode
    return calls


@contextmanager
def _recorded(module: nn.Module) -> Iterator[list[_Call]]:
    calls: list[_Call] = []
    last: list[Tensor | None] = [None]

    def recorder(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def record(layer: nn.Module, _inputs: object, output: Any) -> None:
            if isinstance(output, Tensor):
                calls.append(_Call(name, layer, tuple(output.shape), output is last[0]))
                last[0] = output

        return record

    handles = [
        part.register_forward_hook(recorder(name)) for name, part in module.named_modules() if name
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()

"""Which layer of a network holds its last map of places, and how its output is laid out."""

from typing import Final, Literal, NamedTuple

import timm.layers
from torch import Tensor, nn
from torchvision.ops import Permute

from errlens.errors import NoSpatialLayer, UnfitLayer, which_of
from errlens.model.layers.hooks import is_scripted
from errlens.model.layers.runs import Call, Run, run_layers
from errlens.model.layers.tokens import last_seen

Layout = Literal["NCHW", "NHWC", "tokens"]

# What such a layer puts out is laid out so, by what it computes.
_CHANNELS_FIRST: Final = (
    nn.Conv2d,
    nn.ConvTranspose2d,
    nn.BatchNorm2d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveAvgPool2d,
)
_LAST_AXIS: Final = (nn.LayerNorm, nn.RMSNorm, timm.layers.LayerNorm)
_IDLE: Final = (nn.Identity, nn.Dropout, nn.Dropout2d, Permute)
_POOLING: Final = "AttentionPool"  # part of the names of such classes in timm and CLIP


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
        rows, columns = self.grid
        places = output[:, self.prefix : self.prefix + rows * columns].transpose(1, 2)
        return places.reshape(*places.shape[:2], *self.grid)


def find_layer(
    module: nn.Module, size: tuple[int, int, int], name: str | None = None
) -> SpatialLayer:
    """Find a layer with a map of places; without a name, the last one that the outputs depend on.

    That is the last map before pooling or, where the outputs depend on the class token of a
    transformer alone, the input of the last attention: later, other tokens influence no output.

    Args:
        module: The network; it is run once on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        name: A layer of the user's choice.

    Raises:
        UnfitLayer: There is no layer of this name, it has no map of places, or where its channels
            are cannot be told.
        NoSpatialLayer: No layer has a map, or where its places are cannot be told.
    """
    if is_scripted(module):
        raise NoSpatialLayer("its layers cannot be looked into: it is a script of torch.jit")
    run = run_layers(module, size)
    if name is not None:
        return _named(name, run, module)
    by_class_token = getattr(module, "global_pool", None) == "token" and run.tokens
    place = _before_last_attention(run) if by_class_token and not run.measured else None
    if place is None:
        place = _last_map(run, module)
    if run.measured and len(run.calls[place].shape) == 3:
        place = _last_seen(place, run, module, size)
    layer = _spatial(place, run)
    if layer is None:
        unclear = run.calls[place].name
        raise NoSpatialLayer(f"where the channels of layer {unclear!r} are cannot be told")
    return layer


def spatial_layers(module: nn.Module, size: tuple[int, int, int]) -> dict[str, SpatialLayer]:
    """Return all layers with a map of places, by name; of what `find_layer` does, from one run.

    Args:
        module: The network; it is run once on zeros and left as it was.
        size: (channels, height, width) of its inputs.
    """
    run = run_layers(module, size)
    places = {name: run.last(name) for name, _ in module.named_modules() if name}
    found = {
        name: _spatial(place, run)
        for name, place in places.items()
        if place is not None and run.has_places(run.calls[place].shape)
    }
    return {name: layer for name, layer in found.items() if layer is not None}


def _named(name: str, run: Run, module: nn.Module) -> SpatialLayer:
    """Return the layer that the user chose; of one that runs several times the last call."""
    layers = [layer for layer, _ in module.named_modules() if layer]
    if name not in layers:
        raise UnfitLayer(f"the network has no layer {name!r}", hint=which_of(name, layers))
    place = run.last(name)
    if place is None:
        raise UnfitLayer(f"layer {name!r} does not run, or puts out no tensor")
    if not run.has_places(run.calls[place].shape):
        shape = " x ".join(map(str, run.calls[place].shape[1:]))
        raise UnfitLayer(f"layer {name!r} has no map of places: it puts out {shape} values")
    layer = _spatial(place, run)
    if layer is None:
        raise UnfitLayer(
            f"where the channels of layer {name!r} are cannot be told",
            hint="of a convolution or a normalization it always can",
        )
    return layer


def _last_map(run: Run, module: nn.Module) -> int:
    """Return the place of the last call that put out a map before pooling.

    Raises:
        NoSpatialLayer: There is none, or what follows it are tokens of unknown places.
    """
    pools = [f"{name}." for name, part in module.named_modules() if _POOLING in type(part).__name__]
    # A hook on a layer that runs again later would see the later output.
    seen = [
        at
        for at, call in enumerate(run.calls)
        if run.last(call.name) == at and not f"{call.name}.".startswith(tuple(pools))
    ]
    maps = [at for at in seen if run.has_places(run.calls[at].shape)]
    if not maps:
        single = any(len(call.shape) == 4 for call in run.calls)
        why = "they have one place each" if single else "they put out vectors"
        raise NoSpatialLayer(f"none of its layers has a map of places: {why}")
    shapes = {at: run.calls[at].shape for at in seen if at > maps[-1]}
    later = [at for at, shape in shapes.items() if len(shape) == 3 and shape[1] > 1]
    if later:
        raise NoSpatialLayer(
            f"after {run.calls[maps[-1]].name!r} its places become tokens "
            f"({run.calls[later[-1]].name!r}), and where these are is not known"
        )
    return _outermost(run, maps[-1])


def _last_seen(place: int, run: Run, module: nn.Module, size: tuple[int, int, int]) -> int:
    """Return the place of the last call all of whose tokens influence the outputs.

    Projections are left out: queries and keys alone are no tokens.
    """
    tokens = {
        call.name: run.tokens[call.shape[1]]
        for at, call in enumerate(run.calls[: place + 1])
        if len(call.shape) == 3 and run.has_places(call.shape) and run.last(call.name) == at
        if not isinstance(call.layer, nn.Linear)
    }
    name = last_seen(module, size, tokens, images=run.images)
    seen = None if name is None else run.last(name)
    return place if seen is None else _outermost(run, seen)


def _outermost(run: Run, place: int) -> int:
    """Return the outermost layer that put out what a call did, not one that only passed it on.

    A stage puts out what its last block does, and so does an identity after it.
    """
    while run.calls[place].passed_on and isinstance(run.calls[place].layer, _IDLE):
        if run.last(run.calls[place - 1].name) != place - 1:
            break
        place -= 1
    return place


def _before_last_attention(run: Run) -> int | None:
    """Return the place of what the last block of a transformer attends to; None if not found.

    That is its first normalization, unless it follows the attention or there are several side by
    side; then it is what the block is given.
    """
    blocks = [
        call.name
        for call in run.calls
        if len(call.shape) == 3 and call.name.count(".") == 1 and call.name[-1].isdigit()
    ]
    if not blocks:
        return None
    block = blocks[-1]
    norm, attention = run.last(f"{block}.norm1"), run.last(f"{block}.attn")
    if norm is not None and attention is not None and norm < attention:
        return norm if run.has_places(run.calls[norm].shape) else None
    start = min(at for at, call in enumerate(run.calls) if f"{call.name}.".startswith(f"{block}."))
    given = [
        at
        for at, call in enumerate(run.calls[:start])
        if len(call.shape) == 3 and run.has_places(call.shape) and run.last(call.name) == at
    ]
    return _outermost(run, given[-1]) if given else None


def _spatial(place: int, run: Run) -> SpatialLayer | None:
    """Describe a call that put out a map; None if it cannot be told how."""
    name, _, shape, _ = run.calls[place]
    if len(shape) == 3 and shape[1] in run.tokens:
        return SpatialLayer(name, "tokens", *run.tokens[shape[1]])
    layout = _layout(place, run)
    return SpatialLayer(name, layout, _places(shape, layout)) if layout else None


def _places(shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
    return (shape[2], shape[3]) if layout == "NCHW" else (shape[1], shape[2])


def _layout(place: int, run: Run) -> Layout | None:
    """Tell where the channels are, from layers of which that is known by what they compute.

    Such is the layer itself, or those with outputs of the same shape before it if they agree (with
    as many channels as rows they may not), or those that have its places with other channels.
    """
    shape = run.calls[place].shape
    if own := _known_layout(run.calls[place]):
        return own
    known = [(call.shape, _known_layout(call)) for call in run.calls[: place + 1]]
    alike = {layout for other, layout in known if layout and other == shape}
    if not alike:
        grids = {_places(other, layout) for other, layout in known if layout}
        both: tuple[Layout, Layout] = ("NCHW", "NHWC")
        alike = {layout for layout in both if _places(shape, layout) in grids}
    return alike.pop() if len(alike) == 1 else None


def _known_layout(call: Call) -> Layout | None:
    """Tell where a layer puts its channels by what it computes; None if that says nothing."""
    layer, shape = call.layer, call.shape
    if len(shape) != 4:
        return None
    if isinstance(layer, _CHANNELS_FIRST):
        return "NCHW"
    if isinstance(layer, nn.Linear):
        return "NHWC"
    if not isinstance(layer, nn.LayerNorm | nn.RMSNorm):
        return None
    # Libraries derive layers from these that normalize axis 1 instead.
    first, last = (shape[axis] == layer.normalized_shape[-1] for axis in (1, 3))
    if first == last:
        return "NHWC" if last and type(layer) in _LAST_AXIS else None
    return "NCHW" if first else "NHWC"

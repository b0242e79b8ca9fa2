"""What a layer puts out for images, and what it is before and after the activation that follows.

Layers are only watched: what they put out is copied, since layers that follow may work in place.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from errlens.attribution.explained_model import borrowed
from errlens.errors import UnfitLayer, UnfitModel, UnfitOption
from errlens.formats import counted
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.networks.user_code import user_code
from errlens.network.tracing import Call, traced


class LayerOutput(NamedTuple):
    """What a layer puts out for n images, each of shape (n, channels, rows, columns).

    `before` and `after` are those of its activation, called `activation`; all are None where it has
    none, which `why_none` explains. `call` of `calls` is the one shown, counted from 1. `returned`
    is what the whole network returns.
    """

    output: Tensor
    before: Tensor | None
    after: Tensor | None
    activation: str | None
    why_none: str
    call: int
    calls: int
    returned: Any


def find_layer_or_name_one(
    module: nn.Module, size: tuple[int, int, int], name: str
) -> SpatialLayer:
    """Find a layer with places by its name; where it has none, the error names one that has.

    Args:
        module: The network; it is left as it was.
        size: (channels, height, width) of its inputs.
        name: Of the layer.

    Raises:
        UnfitLayer: There is no such layer, or it has no places.
        NoSpatialLayer: No layer has.
    """
    try:
        return find_layer(module, size, name)
    except UnfitLayer as error:
        error.hint = error.hint or f"--layer {find_layer(module, size).name} has places"
        raise


def capture_layer(
    module: nn.Module, images: Tensor, layer: SpatialLayer, *, call: int | None = None
) -> LayerOutput:
    """Run a network and return what one of its layers puts out.

    Args:
        module: The network; it is given back as it was, without a hook.
        images: Shape (n, channels, height, width).
        layer: Its layout says where in the output the channels are.
        call: Which, of a layer that runs several times, counted from 1; None takes the last.

    Raises:
        UnfitOption: It runs less often.
        UnfitLayer: It puts out another thing than a map for this call.
        UnfitModel: What it puts out is not finite.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    with (
        borrowed(module),
        torch.no_grad(),
        user_code("the forward of the model", images=len(images)),
        traced(module, keep=layer.name) as trace,
    ):
        returned = module(images.clone())
    calls = trace.calls.get(layer.name, [])
    seen = _called(calls, layer, call)
    assert seen.output is not None  # noqa: S101 - of the layer that is kept
    if seen.output.ndim != (3 if layer.layout == "tokens" else 4):
        shape = " x ".join(map(str, seen.shape[1:]))
        raise UnfitLayer(f"call {seen.number} of layer {layer.name!r} puts out {shape} values")
    if not seen.output.isfinite().all():
        raise UnfitModel(f"layer {layer.name!r} puts out values that are not finite")
    found = None if seen.of_sum else seen.activation
    before, after = (found.before, found.after) if found else (None, None)
    return LayerOutput(
        output=layer.as_maps(seen.output),
        before=None if before is None else layer.as_maps(before),
        after=None if after is None else layer.as_maps(after),
        activation=found.name if found else None,
        why_none="" if found else _why_none(seen),
        call=seen.number,
        calls=len(calls),
        returned=returned,
    )


def _called(calls: list[Call], layer: SpatialLayer, call: int | None) -> Call:
    if not calls:
        raise UnfitLayer(f"layer {layer.name!r} does not run, or puts out no tensor")
    if call is not None and call > len(calls):
        raise UnfitOption(
            f"--call {call}: layer {layer.name!r} runs {counted(len(calls), 'time')}",
            hint=f"--call 1 to --call {len(calls)}" if len(calls) > 1 else "leave --call out",
        )
    return calls[-1 if call is None else call - 1]


def _why_none(call: Call) -> str:
    goes = "none was seen to follow"
    if call.activation is not None:
        goes = f"its output is added to another, and {call.activation.name} follows that sum"
    elif call.used_by:
        goes = f"what it puts out goes into {call.used_by!r}"
    return f"layer {call.layer!r} has no activation: {goes}"

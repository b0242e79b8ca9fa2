"""What a layer puts out for images, and what it is before and after the activation that follows.

Layers are only watched: what they put out is copied, since layers that follow may work in place.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from errlens.attribution.explained_model import borrowed
from errlens.errors import UnfitLayer, UnfitModel, UnfitOption
from errlens.formats import counted
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.networks.user_code import user_code

# Functions of torch that are activations, each also with an underscore where it works in place.
# A sigmoid is none: most are gates, whose result is multiplied by something.
_ACTIVATIONS: Final = frozenset(
    (
        "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu",
        "mish", "hardswish", "hardtanh", "softplus", "tanh", "threshold", "clamp", "clamp_min",
    )
)  # fmt: skip
# What may stand between a layer and its activation; it leaves each place and channel where it is.
_PASSING: Final = frozenset(
    (
        "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "dropout",
        "dropout1d", "dropout2d", "feature_dropout", "contiguous", "float", "to",
    )
)  # fmt: skip


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
        _watching(module, layer.name) as tracing,
        user_code("the forward of the model", images=len(images)),
        tracing,
    ):
        returned = module(images.clone())
    seen = _called(tracing.calls, layer, call)
    if seen.output.ndim != (3 if layer.layout == "tokens" else 4):
        shape = " x ".join(map(str, seen.output.shape[1:]))
        raise UnfitLayer(f"call {seen.number} of layer {layer.name!r} puts out {shape} values")
    if not seen.output.isfinite().all():
        raise UnfitModel(f"layer {layer.name!r} puts out values that are not finite")
    found = seen.activation if seen.is_fit else None
    return LayerOutput(
        output=layer.as_maps(seen.output),
        before=layer.as_maps(found.before) if found else None,
        after=layer.as_maps(found.after) if found else None,
        activation=found.name if found else None,
        why_none="" if found else _why_none(layer.name, seen.used_by),
        call=seen.number,
        calls=len(tracing.calls),
        returned=returned,
    )


@dataclass
class _Activation:
    """An activation that ran: copies of what it was given and of what came out."""

    name: str
    before: Tensor
    after: Tensor
    result: Tensor  # the very object, which tells whether a layer ends with it


@dataclass
class _Call:
    """One run of the layer: a copy of its output, and the activation that it ends with or feeds.

    `used_by` is what first computed something else of it.
    """

    number: int
    output: Tensor
    activation: _Activation | None
    used_by: str | None = None

    @property
    def is_fit(self) -> bool:
        """Whether an activation was found, of values that lie as those of the layer do."""
        return self.activation is not None and self.activation.before.shape == self.output.shape


@dataclass
class _Calls:
    """Which calls of a layer were seen, and what is waited for."""

    done: list[_Call] = field(default_factory=list)
    inside: bool = False
    last: _Activation | None = None  # inside the layer
    followed: Tensor | None = None  # what the layer put out, or a normalization of it


class _Tracing(TorchFunctionMode):
    """Sees every function of torch that is called, wherever a module or a function calls it."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = _Calls()

    @property
    def calls(self) -> list[_Call]:
        """The calls of the layer, in their order."""
        return self._calls.done

    def begin(self, *_: Any) -> None:
        """Note that the layer begins to run."""
        self._calls.inside, self._calls.last, self._calls.followed = True, None, None

    def end(self, _layer: nn.Module, _inputs: Any, output: Any) -> None:
        """Note what the layer put out, and whether an activation did."""
        calls = self._calls
        calls.inside = False
        if not isinstance(output, Tensor):
            return
        ended = calls.last if calls.last is not None and calls.last.result is output else None
        calls.done.append(_Call(len(calls.done) + 1, output.detach().clone(), ended))
        calls.followed = None if ended else output

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "").rstrip("_")
        given = [*args, *(kwargs or {}).values()]
        first = given[0] if given else None
        calls = self._calls
        follows = calls.followed is not None and any(one is calls.followed for one in given)
        if name in _ACTIVATIONS and isinstance(first, Tensor) and (calls.inside or follows):
            before = first.detach().clone()
            result = func(*args, **(kwargs or {}))
            self._activated(
                _Activation(_called_so(name, given), before, result.detach().clone(), result),
                follows,
            )
            return result
        result = func(*args, **(kwargs or {}))
        if follows and isinstance(result, Tensor):
            calls.followed = result if name in _PASSING else None
            if calls.followed is None:
                calls.done[-1].used_by = name.strip("_")
        return result

    def _activated(self, activation: _Activation, follows: bool) -> None:  # noqa: FBT001
        if self._calls.inside:
            self._calls.last = activation
        if follows:
            self._calls.done[-1].activation = activation
            self._calls.followed = None


@contextmanager
def _watching(module: nn.Module, name: str) -> Iterator[_Tracing]:
    """Give what sees the calls of a layer, once it is entered, for the length of the block."""
    tracing, layer = _Tracing(), module.get_submodule(name)
    handles = [
        layer.register_forward_pre_hook(tracing.begin),
        layer.register_forward_hook(tracing.end),
    ]
    try:
        yield tracing
    finally:
        for handle in handles:
            handle.remove()


def _called(calls: list[_Call], layer: SpatialLayer, call: int | None) -> _Call:
    if not calls:
        raise UnfitLayer(f"layer {layer.name!r} does not run, or puts out no tensor")
    if call is not None and call > len(calls):
        raise UnfitOption(
            f"--call {call}: layer {layer.name!r} runs {counted(len(calls), 'time')}",
            hint=f"--call 1 to --call {len(calls)}" if len(calls) > 1 else "leave --call out",
        )
    return calls[-1 if call is None else call - 1]


def _called_so(name: str, given: Sequence[Any]) -> str:
    """Return what people call an activation: torch computes ReLU6 by a function of another name."""
    return "relu6" if name == "hardtanh" and tuple(given[1:3]) == (0.0, 6.0) else name


def _why_none(name: str, used_by: str | None) -> str:
    goes = f"what it puts out goes into {used_by!r}" if used_by else "none was seen to follow"
    return f"layer {name!r} has no activation: {goes}"

"""The convolutions of a network, as they run: their weights, and the normalization that follows.

They are caught when torch is asked for one, whatever code asks: so the weights are those in use,
also where a layer standardizes them, has a parametrization or keeps them elsewhere.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from errlens.attribution.explained_model import borrowed
from errlens.errors import NoSpatialLayer
from errlens.model.layers.hooks import is_scripted
from errlens.model.networks.user_code import user_code
from errlens.network.activations.first_layer import NORMS, factor_of

_TRANSPOSED: Final = "conv_transpose2d"
_CONVOLUTIONS: Final = {
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    _TRANSPOSED: (
        "input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation",
    ),
}  # fmt: skip
_OF_OTHER_MAPS: Final = frozenset(("conv1d", "conv3d", "conv_transpose1d", "conv_transpose3d"))

Floats = NDArray[np.floating]
Pair = tuple[int, int]  # of rows, and of columns
_Key = tuple[str, int]  # a layer, and where the weights lie in memory


@dataclass(frozen=True)
class Convolution:
    """A convolution that runs, by the name of its layer, with the weights in use.

    `norm` is the normalization that it is given to, if it is given to one.
    """

    layer: str
    weight: Tensor
    stride: Pair
    dilation: Pair
    groups: int
    transposed: bool
    norm: tuple[str, nn.Module] | None

    @property
    def filters(self) -> Floats:
        """The filters, shape (filters, inputs of a group, rows, columns).

        What the normalization multiplies channels by is in them: one that it silences is zero. They
        may be the weights themselves, so nothing must be written into them.
        """
        weight = self.weight.dequantize() if self.weight.is_quantized else self.weight
        weight = weight.cpu().to(torch.promote_types(weight.dtype, torch.float32))
        if self.transposed:  # (inputs, filters of a group, rows, columns)
            inputs, of_group, *kernel = weight.shape
            grouped = weight.reshape(self.groups, inputs // self.groups, of_group, *kernel)
            weight = grouped.transpose(1, 2).reshape(-1, inputs // self.groups, *kernel)
        if self.norm:
            weight = weight * factor_of(self.norm[1], len(weight)).to(weight.dtype)
        filters: Floats = weight.numpy()
        return filters

    def sees(self, channels: int) -> bool:
        """Tell whether its filters could be given an image of so many channels."""
        return self.groups == 1 and not self.transposed and self.weight.shape[1] == channels


class Convolutions(NamedTuple):
    """All convolutions in the order in which they run.

    `of_other_maps` names layers with a convolution of one or three axes, `idle` those with one that
    did not run.
    """

    layers: list[Convolution]
    of_other_maps: list[str]
    idle: list[str]


def find_convolutions(module: nn.Module, size: tuple[int, int, int]) -> Convolutions:
    """Return the convolutions of a network.

    Args:
        module: The network; it is run once on zeros and left as it was.
        size: (channels, height, width) of its inputs.

    Raises:
        NoSpatialLayer: The network, or part of it, is a script of torch.jit.
        UserCodeFailed, OutOfMemory: It raised something.
    """
    if any(map(is_scripted, module.modules())):
        raise NoSpatialLayer("its filters cannot be looked at: it is a script of torch.jit")
    weight = next(
        (each for each in module.parameters() if each.is_floating_point()), torch.zeros(())
    )
    zeros = torch.zeros((1, *size), dtype=weight.dtype, device=weight.device)
    with (
        borrowed(module),
        torch.no_grad(),
        _watching(module) as watch,
        user_code("the forward of the model", images=1),
        watch,
    ):
        module(zeros)
    idle = [
        name
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and name not in watch.ran
    ]
    return Convolutions(watch.convolutions(), sorted(watch.of_other_maps), idle)


class _Watch(TorchFunctionMode):
    """Sees every convolution that torch is asked for, and the normalization it is given to."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[str] = [""]
        self.ran: set[str] = set()
        self.of_other_maps: set[str] = set()
        self._found: dict[_Key, Convolution] = {}
        self._norms: dict[_Key, tuple[str, nn.Module]] = {}
        self._newest: tuple[Tensor, _Key] | None = None  # output

    def convolutions(self) -> list[Convolution]:
        """Return those that ran."""
        return [replace(one, norm=self._norms.get(key)) for key, one in self._found.items()]

    def begin(self, name: str, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note that a layer begins to run."""
        self.running.append(name)
        self.ran.add(name)
        first = inputs[0] if inputs else None
        if isinstance(layer, NORMS) and self._newest is not None and first is self._newest[0]:
            self._norms[self._newest[1]] = (name, layer)

    def end(self) -> None:
        """Note that a layer has run."""
        self.running.pop()

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").removesuffix("_relu")  # quantized ones end with it
        layer = self.running[-1]
        if name in _OF_OTHER_MAPS:
            self.of_other_maps.add(layer)
        if name in _CONVOLUTIONS:
            asked = {**dict(zip(_CONVOLUTIONS[name], args, strict=False)), **(kwargs or {})}
            self._note(layer, name, result, asked)
        return result

    def _note(self, layer: str, name: str, result: Tensor, asked: dict[str, Any]) -> None:
        """Note a convolution that was asked for; one that runs again is noted once."""
        if not isinstance(asked["weight"], Tensor):
            asked = _unpacked(asked["weight"])
        weight: Tensor = asked["weight"].detach()
        stride, dilation = (_pair(asked.get(axis, 1)) for axis in ("stride", "dilation"))
        groups, transposed = int(asked.get("groups", 1)), name == _TRANSPOSED
        key = (layer, asked.get("packed", weight.data_ptr()))
        self._newest = (result, key)
        self._found.setdefault(
            key, Convolution(layer, weight, stride, dilation, groups, transposed, None)
        )


@contextmanager
def _watching(module: nn.Module) -> Iterator[_Watch]:
    """Give what sees convolutions, once it is entered, for the length of the block."""
    watch, handles = _Watch(), []
    for name, layer in module.named_modules():
        if not name:
            continue

        def begin(layer: nn.Module, inputs: Any, name: str = name) -> None:
            watch.begin(name, layer, inputs)

        def end(_layer: nn.Module, _inputs: Any, _output: Any) -> None:
            watch.end()

        handles += [layer.register_forward_pre_hook(begin), layer.register_forward_hook(end)]
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()


def _unpacked(packed: Any) -> dict[str, Any]:
    """Return what a convolution of integers was asked for: its weights are packed with the rest."""
    names = ("stride", "dilation", "groups")
    rest = {name: getattr(packed, name)() for name in names}
    return {"weight": packed.unpack()[0], "packed": id(packed), **rest}


def _pair(value: Any) -> Pair:
    both = tuple(value) if isinstance(value, list | tuple | torch.Size) else (value,)
    return int(both[0]), int(both[-1])

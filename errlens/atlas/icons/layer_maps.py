"""Run a network as far as a layer, and no farther."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from errlens.errors import UnfitLayer
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer
from errlens.model.networks.user_code import user_code

Maps = Callable[[Tensor], Tensor]  # inputs to maps of shape (n, channels, rows, columns)


class _Reached(BaseException):
    """The layer has run. No `except Exception` in a network may keep this from getting out."""


@contextmanager
def maps_of(module: nn.Module, layer: SpatialLayer, example: Tensor) -> Iterator[Maps]:
    """Give a function from inputs to the maps of a layer, which many threads may call.

    Layers behind it do not run. Of a layer that runs several times, the last call counts. No hook
    is left at the end of the block, whatever happened inside.

    Args:
        module: The network.
        layer: The layer.
        example: An input that the whole network takes, shape (1, channels, height, width).

    Raises:
        UnfitLayer: The layer does not run.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    seen = threading.local()

    def watch(_name: str, _layer: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        seen.outputs.append(output)
        if len(seen.outputs) == seen.last:
            raise _Reached

    def run(inputs: Tensor, last: int | None) -> list[Tensor]:
        seen.outputs, seen.last = [], last
        try:
            with user_code("the forward of the model", images=len(inputs)):
                module(inputs.clone())  # it may work in place
        except _Reached:
            pass
        if not seen.outputs:
            raise UnfitLayer(f"layer {layer.name!r} does not run, or puts out no tensor")
        outputs: list[Tensor] = seen.outputs
        seen.outputs = []  # else the thread would hold the graph of its gradients
        return outputs

    with watched(module, [layer.name], watch):
        with torch.no_grad():
            calls = len(run(example, None))
        yield lambda inputs: layer.as_maps(run(inputs, calls)[-1])

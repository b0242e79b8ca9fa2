"""The layers that points are collected of, and runs of a network that watch or change them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import UnfitModel
from errlens.formats import counted
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.layers.runs import run_layers
from errlens.model.networks.user_code import user_code
from errlens.network.units.layers import unit_layers


class PointLayer(NamedTuple):
    """A layer with a map of places.

    `calls` is how often it runs for an input; what it puts out the last time counts. `depth` is
    the place of that call among all calls of layers, from 0.
    """

    spatial: SpatialLayer
    channels: int
    calls: int
    depth: int

    @property
    def name(self) -> str:
        """What the network calls it."""
        return self.spatial.name

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of its map."""
        return self.spatial.grid

    def maps(self, output: Tensor) -> Tensor:
        """Return what it puts out as (n, channels, rows, columns), a view.

        Raises:
            UnfitModel: It puts out maps of another size than for the network's usual input.
        """
        maps = self.spatial.as_maps(output)
        if maps.shape[1:] != (self.channels, *self.grid):
            raise UnfitModel(
                f"layer {self.name!r} puts out {' x '.join(map(str, maps.shape[1:]))} values for a "
                f"photo, and {self.channels} x {self.grid[0]} x {self.grid[1]} before"
            )
        return maps

    def at(self, output: Tensor, places: NDArray[Any]) -> Tensor:
        """Return what it puts out at places, shape (n, p, channels); these have shape (n, p, 2)."""
        rows, columns = torch.from_numpy(places).to(output.device).long().unbind(dim=2)
        images = torch.arange(len(rows), device=output.device)[:, None]
        return self.maps(output)[images, :, rows, columns]


# Is given a layer and what it put out; what it returns takes its place, unless that is None.
Change = Callable[[PointLayer, Tensor], Tensor | None]


class Run(Protocol):
    """Runs a network and returns logits, shape (copies * n, classes), of n images.

    A change may repeat what a layer puts out, so that there are several `copies`.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
        UnfitModel: A layer runs more or less often than before.
    """

    def __call__(self, images: Tensor, change: Change, *, copies: int = 1) -> Tensor:  # noqa: D102
        ...


def point_layers(model: ExplainedModel, names: Sequence[str] | None = None) -> list[PointLayer]:
    """Return layers by name, each once; without names the last that the outputs depend on.

    Raises:
        UnfitLayer: There is no layer of a name, it has no map of places, or cannot be watched.
        NoSpatialLayer: No layer has one.
    """
    if names is None:
        names = [find_layer(model.module, model.size).name]
    run = run_layers(model.module, model.size)
    return [
        PointLayer(unit.spatial, unit.channels, unit.calls, run.last(unit.name) or 0)
        for unit in unit_layers(model.module, model.size, names)
    ]


@contextmanager
def watched_runs(model: ExplainedModel, layers: Sequence[PointLayer]) -> Iterator[Run]:
    """Give a function that runs a network and hands on what layers put out the last time.

    It may be called in several threads. No hook is left behind.

    Args:
        model: The network, borrowed.
        layers: Those that may be changed.
    """
    state = threading.local()

    def after(layer: PointLayer, _part: nn.Module, _inputs: object, output: Any) -> Any:
        if getattr(state, "change", None) is None:
            return None
        state.calls[layer.name] = state.calls.get(layer.name, 0) + 1
        return state.change(layer, output) if state.calls[layer.name] == layer.calls else None

    def run(images: Tensor, change: Change, *, copies: int = 1) -> Tensor:
        state.change, state.calls = change, {}
        # Scripted code, optimised, would hide its steps from what differentiates.
        optimised = torch.jit.optimized_execution(  # type: ignore[attr-defined]
            torch.is_inference_mode_enabled()
        )
        try:
            with user_code("the forward of the model", images=copies * len(images)), optimised:
                output = model.module(images.clone())  # a copy, for a network may change its input
            logits = model.reading.logits(output, copies * len(images))
        finally:
            state.change = None
        for layer in layers:
            if state.calls.get(layer.name, 0) != layer.calls:
                raise UnfitModel(
                    f"layer {layer.name!r} runs {counted(state.calls.get(layer.name, 0), 'time')} "
                    f"for a photo, and ran {counted(layer.calls, 'time')} before"
                )
        return logits

    with ExitStack() as hooks:
        for layer in layers:
            part = model.module.get_submodule(layer.name)
            hooks.callback(part.register_forward_hook(partial(after, layer)).remove)
        yield run

"""Watch what the units of layers give while a network runs, and leave no hook behind."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from errlens.model.layers.hooks import is_scripted
from errlens.network.units.layers import UnitLayer


@contextmanager
def watched_units(
    module: nn.Module, layers: Mapping[str, UnitLayer], watch: Callable[[str, Tensor], None]
) -> Iterator[None]:
    """Call a function with the name of a layer and its maps whenever it has run.

    Maps have the shape (n, channels, rows, columns); what follows may change them in place. Those
    before an activation with an upper limit are given before it runs.
    """

    def after(layer: UnitLayer, _part: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor):
            watch(layer.name, layer.spatial.as_maps(output))

    def before(layer: UnitLayer, _part: nn.Module, inputs: tuple[Any, ...]) -> None:
        watch(layer.name, layer.spatial.as_maps(inputs[0]))

    parts = dict(module.named_modules())
    with ExitStack() as hooks:
        for layer in layers.values():
            part = parts[layer.limit or layer.name]
            if is_scripted(part):
                continue
            if layer.limit:
                handle = part.register_forward_pre_hook(partial(before, layer))
            else:
                handle = part.register_forward_hook(partial(after, layer))
            hooks.callback(handle.remove)
        yield

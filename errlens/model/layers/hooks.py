"""Watch layers while a network runs, and leave no hook behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

# Is given the name of a layer, the layer, its inputs and its output.
Watch = Callable[[str, nn.Module, tuple[Any, ...], Any], None]


@contextmanager
def watched(module: nn.Module, names: Iterable[str], watch: Watch) -> Iterator[None]:
    """Call a function whenever one of these layers has run, for the length of the block.

    Those in scripted code cannot be watched.
    """
    layers = dict(module.named_modules())
    handles = [
        layers[name].register_forward_hook(partial(watch, name))
        for name in names
        if not is_scripted(layers[name])
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def is_scripted(layer: nn.Module) -> bool:
    """Tell whether a layer is code of `torch.jit`, scripted or traced."""
    return isinstance(layer, torch.jit.ScriptModule)

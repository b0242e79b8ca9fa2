"""Watch layers while a network runs, and leave no hook behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import nn

# Is given the name of a layer, the layer, its inputs and its output.
Watch = Callable[[str, nn.Module, tuple[Any, ...], Any], None]


@contextmanager
def watched(module: nn.Module, names: Iterable[str], watch: Watch) -> Iterator[None]:
    """Call a function whenever one of these layers has run, for the length of the block."""
    handles = [
        module.get_submodule(name).register_forward_hook(partial(watch, name)) for name in names
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

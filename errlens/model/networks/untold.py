"""Which arguments of an architecture weights do not tell: with another, they fit as well."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import torch
from torch import nn

from errlens.errors import ErrlensError
from errlens.model.networks.architecture import UNBUILDABLE, Architecture
from errlens.model.networks.parameters import accepted_parameters
from errlens.model.networks.sources import find_architecture

_SIZE: Final = "img_size"  # has an option of its own, which is tried
_PLAIN: Final = (bool, int, float, str, tuple, type(None))

# What a network does, as far as it can be read off: the kind of each layer, and its settings.
_Settings = list[tuple[str, str, dict[str, Any]]]


def untold_arguments(name: str, given: Mapping[str, Any]) -> dict[str, int]:
    """Return whole numbers that change what a network does and the shape of no tensor of it.

    Each stands for an argument that was not given; half its default is tried, and twice. Networks
    of the user's own code are not looked at, nor any that cannot be built here.

    Args:
        name: The network.
        given: What it was built with.

    >>> untold_arguments("test_resnet", {})
    {'output_stride': 16}
    """
    try:
        architecture = find_architecture(name)
        if architecture.by_user:
            return {}
        parameters = accepted_parameters(architecture.create, by_user=False)
        build = partial(_blueprint, architecture)
        usual = build(given)
    except (ErrlensError, OSError, *UNBUILDABLE):
        return {}
    found: dict[str, int] = {}
    for parameter in parameters.values():
        if parameter.name in {*given, _SIZE}:
            continue
        for value in _others(parameter.default):
            try:
                changed = build({**given, parameter.name: value})
            except (ErrlensError, *UNBUILDABLE):
                continue  # it takes no such value
            if _shapes(changed) == _shapes(usual) and _settings(changed) != _settings(usual):
                found[parameter.name] = value
                break
    return found


def _others(default: object) -> Iterator[int]:
    """Yield other values that an argument may have; none where it is no whole number."""
    if isinstance(default, int) and not isinstance(default, bool) and default > 0:
        yield from (default // 2, default * 2) if default > 1 else (2,)


def _blueprint(architecture: Architecture, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network without memory for its tensors."""
    with torch.device("meta"):
        return architecture.build(architecture.create, arguments)


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


def _settings(module: nn.Module) -> _Settings:
    return [
        (name, type(layer).__name__, {key: own for key, own in vars(layer).items() if _plain(own)})
        for name, layer in module.named_modules()
    ]


def _plain(value: object) -> bool:
    return isinstance(value, _PLAIN)

"""Which parameters the constructor of a network has."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

Parameters = Mapping[str, inspect.Parameter]


def accepted_parameters(create: Callable[..., nn.Module], *, by_user: bool) -> Parameters:
    """Return the parameters of a constructor; `**` stands for further ones of any name.

    Args:
        create: Builds the network; a library's builder hands on what it is given.
        by_user: It is the user's, whose own parameters count.
    """
    if by_user:
        return dict(_parameters(create))
    with torch.device("meta"):
        kind = type(create())
    accepted: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__[: kind.__mro__.index(nn.Module)]:
        if "__init__" in vars(base):
            own = dict(_parameters(vars(base)["__init__"]))
            accepted |= {name: own[name] for name in own if name not in ("self", "**")}
            if "**" not in own:
                break
    return accepted


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter]]:
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            yield "**", parameter
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            yield name, parameter

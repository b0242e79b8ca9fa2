"""Where networks come from: timm, a hub, torchvision or the user's own factory."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import timm
import timm.models
import torchvision.models
from torch import nn

from errlens.errors import UnfitModel, UnknownModel
from errlens.model.users_code import users_code

TIMM_PREFIXES: Final = ("hf-hub", "local-dir", "timm")


@dataclass(frozen=True)
class Architecture:
    """How to build the network of a name.

    `create` builds it without weights, `fetch` with pretrained ones. `head` is the name of its
    classifier layer and `data_config` its preprocessing, both None where only the built network
    tells. The user's own factories (`own`) bring weights or not, as they like.
    """

    name: str
    create: Callable[..., nn.Module]
    fetch: Callable[..., nn.Module]
    head: str | None = None
    data_config: Mapping[str, Any] | None = None
    has_weights: bool = True
    own: bool = False
    takes_num_classes: bool = True

    def build(
        self,
        make: Callable[..., nn.Module],
        arguments: Mapping[str, Any],
        outputs: int | None = None,
    ) -> nn.Module:
        """Call `create` or `fetch`, with a number of outputs where that can be told.

        Raises:
            UnfitModel: The architecture does not take the arguments, or is no network.
        """
        given = dict(arguments)
        if outputs is not None and self.takes_num_classes:
            given["num_classes"] = outputs
        with users_code(f"the factory {self.name}") if self.own else nullcontext():
            module = self._made(make, given, refusable=arguments if self.own else given)
        if not isinstance(module, nn.Module):
            raise UnfitModel(f"{self.name} made a {type(module).__name__}, no torch.nn.Module")
        return module

    def _made(
        self,
        make: Callable[..., nn.Module],
        given: Mapping[str, Any],
        *,
        refusable: Mapping[str, Any],
    ) -> nn.Module:
        try:
            return make(**given)
        except TypeError as error:
            if not refusable:
                raise  # nothing of the user's was refused
            raise UnfitModel(
                f"{self.name} does not take {', '.join(refusable)}: {error}",
                hint="see --model-kwargs",
            ) from error


def import_object(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import the user's own callable, looking in the current folder too.

    Raises:
        UnknownModel: There is no such module, or nothing callable of this name in it.
        UserCodeFailed: The module raised something as it was imported.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with users_code(f"{module_name}.py, imported for the {what} {module_name}:{name},"):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise  # the user's module exists but lacks something itself
            raise UnknownModel(
                module_name, where=f"for the {what} {module_name}:{name}, Python"
            ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UnknownModel(name, vars(module), where=f"the {what} module {module_name}")
    imported: Callable[..., Any] = found
    return imported


def find_architecture(name: str) -> Architecture:
    """Return how to build the network of a name.

    Raises:
        UnknownModel: No library knows the name.
    """
    prefix, colon, rest = name.partition(":")
    if not colon:
        return _timm_architecture(name)
    if prefix in TIMM_PREFIXES:
        build = partial(timm.create_model, name)
        return Architecture(name, build, partial(build, pretrained=True))
    if prefix == "torchvision":
        return _torchvision_architecture(name, rest)
    factory = import_object(prefix, rest, what="model factory")
    return Architecture(name, factory, factory, own=True, takes_num_classes=_takes_classes(factory))


def _takes_classes(factory: Callable[..., Any]) -> bool:
    """Tell whether a function can be told the number of classes."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # written in C
        return False
    return any(one.name == "num_classes" or one.kind is one.VAR_KEYWORD for one in parameters)


def _timm_architecture(name: str) -> Architecture:
    if not timm.models.is_model(name):
        raise UnknownModel(name, timm.list_models())
    config = timm.models.get_pretrained_cfg(name)
    head: Any = config.classifier if config else None
    build = partial(timm.create_model, name)
    return Architecture(
        name,
        build,
        partial(build, pretrained=True),
        head=head[0] if isinstance(head, tuple | list) else head,
        has_weights=timm.models.is_model_pretrained(name),
    )


def _torchvision_architecture(name: str, short: str) -> Architecture:
    known = torchvision.models.list_models(module=torchvision.models)
    if short not in known:
        raise UnknownModel(short, known, where="torchvision")
    preset = torchvision.models.get_model_weights(short).DEFAULT.transforms()
    crop, resize = preset.crop_size[0], preset.resize_size[0]
    build = partial(torchvision.models.get_model, short)
    return Architecture(
        name,
        partial(build, weights=None),
        partial(build, weights="DEFAULT"),
        data_config={
            "input_size": (3, crop, crop),
            "crop_pct": crop / resize,
            "interpolation": preset.interpolation.value,
            "mean": tuple(preset.mean),
            "std": tuple(preset.std),
        },
    )

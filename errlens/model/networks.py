"""Build a network from a timm, hub or torchvision name or from the user's own factory."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import timm
import timm.models
import torchvision.models
from torch import nn

from errlens.errors import UnfitModel, UnfitOption, UnknownModel, WeightsUnavailable
from errlens.model.checkpoints import StateDict, apply_checkpoint, count_outputs, read_checkpoint

TIMM_PREFIXES: Final = ("hf-hub", "local-dir", "timm")


@dataclass(frozen=True)
class Network:
    """A network with its weights, and what its library knows of the preprocessing.

    `data_config` uses timm's keys (`input_size`, `mean`, `crop_pct` ...); empty where nothing is
    known. `arguments` are what it was built with.
    """

    module: nn.Module
    name: str
    arguments: Mapping[str, Any]
    data_config: Mapping[str, Any]


@dataclass(frozen=True)
class _Architecture:
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
        if outputs is not None and self.takes_num_classes:
            arguments = {**arguments, "num_classes": outputs}
        try:
            module = make(**arguments)
        except TypeError as error:
            if not arguments:
                raise  # nothing of the user's was refused
            raise UnfitModel(
                f"{self.name} does not take {', '.join(arguments)}: {error}",
                hint="see --model-kwargs",
            ) from error
        if not isinstance(module, nn.Module):
            raise UnfitModel(f"{self.name} made a {type(module).__name__}, no torch.nn.Module")
        return module


def load_network(
    name: str,
    *,
    checkpoint: Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    num_classes: int | None = None,
    img_size: int | None = None,
) -> Network:
    """Load a network ready for inference, on the CPU.

    Args:
        name: A timm name, `hf-hub:REPOSITORY`, `torchvision:NAME` or `package.module:function`.
        checkpoint: Weights to use instead of the pretrained ones.
        arguments: Further arguments of the architecture.
        num_classes: Number of outputs where no checkpoint tells it.
        img_size: Image size; networks that are built for one size are built for this one.

    Raises:
        UnknownModel: No library knows the name.
        UnfitOption: `num_classes` contradicts the checkpoint, or would give untrained outputs.
        WeightsUnavailable: Pretrained weights do not exist or cannot be fetched.
        UnfitModel: The architecture refuses its arguments.
        BadCheckpoint, IncompatibleCheckpoint, MissingInput: The checkpoint cannot be used.
    """
    architecture = _find(name)
    arguments = {**_size_argument(name, img_size), **(arguments or {})}
    if checkpoint is None:
        module = _pretrained(architecture, arguments, num_classes)
    else:
        state = read_checkpoint(checkpoint)
        module = _with_weights(architecture, arguments, state, checkpoint, num_classes)
    config = architecture.data_config
    if config is None:
        config = getattr(module, "pretrained_cfg", None) or {}
    return Network(module.eval(), name, arguments, config)


def import_object(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import the user's own callable, looking in the current folder too.

    Raises:
        UnknownModel: There is no such module, or nothing callable of this name in it.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
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


def _find(name: str) -> _Architecture:
    prefix, colon, rest = name.partition(":")
    if not colon:
        return _timm_architecture(name)
    if prefix in TIMM_PREFIXES:
        build = partial(timm.create_model, name)
        return _Architecture(name, build, partial(build, pretrained=True))
    if prefix == "torchvision":
        return _torchvision_architecture(name, rest)
    factory = import_object(prefix, rest, what="model factory")
    parameters = inspect.signature(factory).parameters.values()
    takes = any(one.name == "num_classes" or one.kind is one.VAR_KEYWORD for one in parameters)
    return _Architecture(name, factory, factory, own=True, takes_num_classes=takes)


def _timm_architecture(name: str) -> _Architecture:
    if not timm.models.is_model(name):
        raise UnknownModel(name, timm.list_models())
    config = timm.models.get_pretrained_cfg(name)
    head: Any = config.classifier if config else None
    build = partial(timm.create_model, name)
    return _Architecture(
        name,
        build,
        partial(build, pretrained=True),
        head=head[0] if isinstance(head, tuple | list) else head,
        has_weights=timm.models.is_model_pretrained(name),
    )


def _torchvision_architecture(name: str, short: str) -> _Architecture:
    known = torchvision.models.list_models(module=torchvision.models)
    if short not in known:
        raise UnknownModel(short, known, where="torchvision")
    preset = torchvision.models.get_model_weights(short).DEFAULT.transforms()
    crop, resize = preset.crop_size[0], preset.resize_size[0]
    build = partial(torchvision.models.get_model, short)
    return _Architecture(
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


def _size_argument(name: str, img_size: int | None) -> dict[str, int]:
    """Return the argument that builds a timm network for an image size, where it needs one."""
    if img_size is None or ":" in name:
        return {}
    config = timm.models.get_pretrained_cfg(name)
    return {"img_size": img_size} if config and config.fixed_input_size else {}


def _pretrained(
    architecture: _Architecture, arguments: Mapping[str, Any], num_classes: int | None
) -> nn.Module:
    if num_classes is not None and not architecture.own:
        raise UnfitOption(
            f"--num-classes {num_classes} would give {architecture.name} an untrained classifier",
            hint="add --checkpoint FILE with weights for these classes, or leave it out",
        )
    if not architecture.has_weights:
        raise WeightsUnavailable(
            f"timm has no pretrained weights for {architecture.name!r}",
            hint="add --checkpoint FILE",
        )
    try:
        return architecture.build(architecture.fetch, arguments, num_classes)
    except OSError as error:  # what every failure to reach a hub or to write its cache is
        raise WeightsUnavailable(
            f"the pretrained weights of {architecture.name} could not be fetched: {error}",
            hint="check the network, or add --checkpoint FILE",
        ) from error


def _with_weights(
    architecture: _Architecture,
    arguments: Mapping[str, Any],
    state: StateDict,
    path: Path,
    num_classes: int | None,
) -> nn.Module:
    """Build a network with as many outputs as the checkpoint has, and load it."""
    head = architecture.head
    if head is None:
        head = _last_linear(architecture.build(architecture.create, arguments))
    outputs = count_outputs(state, head)
    if outputs is not None and num_classes not in (None, outputs):
        raise UnfitOption(
            f"--num-classes says {num_classes}, but {path.name} has {outputs} outputs"
        )
    module = architecture.build(architecture.create, arguments, outputs or num_classes)
    apply_checkpoint(module, state, path=path)
    return module


def _last_linear(module: nn.Module) -> str:
    """Name the last linear layer, or the last convolution where there is none."""
    for kind in (nn.Linear, nn.Conv2d):
        names: list[str] = [
            name for name, layer in module.named_modules() if isinstance(layer, kind)
        ]
        if names:
            return names[-1]
    return ""

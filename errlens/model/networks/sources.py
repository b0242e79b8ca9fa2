"""Where networks come from: timm, a hub, torchvision or the user's factory."""

import inspect
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import timm
import timm.models
import torch
import torchvision.models
from timm.models import load_model_config_from_hf
from torch import nn
from torchvision.models.regnet import BlockParams

from errlens.errors import BadCheckpoint, UnknownModel, WeightsUnavailable, shortened
from errlens.model.networks.architecture import UNBUILDABLE, Architecture
from errlens.model.networks.arguments import recorded_arguments
from errlens.model.networks.user_code import import_object, import_recorded
from errlens.model.weights.checkpoints import Checkpoint
from errlens.model.weights.files import read_config
from errlens.model.weights.training import has_tag, recorded_training

HUB_PREFIX: Final = "hf-hub:"
LOCAL_PREFIX: Final = "local-dir:"


def find_architecture(name: str, *, recorded: bool = False) -> Architecture:
    """Return how to build the network of a name; a file has `recorded` it, or the user gave it.

    Raises:
        UnknownModel: No library knows the name.
        ForeignCode: A file has recorded a factory that is not of the current folder.
        WeightsUnavailable: A hub that knows more is out of reach.
        BadCheckpoint: What a hub or folder says cannot be used.
    """
    prefix, colon, rest = name.partition(":")
    if not colon:
        return _timm_architecture(name)
    if name.startswith(HUB_PREFIX):
        return _hub_architecture(name)
    if name.startswith(LOCAL_PREFIX):
        return _folder_architecture(name)
    if prefix == "torchvision":
        return _torchvision_architecture(name, rest)
    find = import_recorded if recorded else import_object
    factory = find(prefix, rest, what="model factory")
    return Architecture(
        name, factory, factory, by_user=True, takes_num_classes=_takes_classes(factory)
    )


def size_argument(name: str, img_size: int | None) -> dict[str, int]:
    """Return the argument that builds a timm network for an image size, where it needs one."""
    if img_size is None or ":" in name:
        return {}
    config = timm.models.get_pretrained_cfg(name)
    return {"img_size": img_size} if config and config.fixed_input_size else {}


def _takes_classes(factory: Callable[..., Any]) -> bool:
    """Tell whether a function can be told the number of classes."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # written in C
        return False
    return any(
        parameter.name == "num_classes" or parameter.kind is parameter.VAR_KEYWORD
        for parameter in parameters
    )


def _timm_architecture(name: str) -> Architecture:
    if not timm.models.is_model(name):
        raise UnknownModel(name, timm.list_models(), hint=_elsewhere(name))
    if not has_tag(name):
        raise UnknownModel(name, timm.list_pretrained(f"{name.partition('.')[0]}.*"))
    config = timm.models.get_pretrained_cfg(name)
    layers: Any = (config.classifier if config else None) or ()
    heads = (layers,) if isinstance(layers, str) else tuple(layers)
    build = partial(timm.create_model, name)
    return Architecture(
        name,
        build,
        partial(build, pretrained=True),
        head=heads[0] if heads else None,
        further_heads=heads[1:],
        has_weights=timm.models.is_model_pretrained(name),
    )


def _elsewhere(name: str) -> str:
    """Say where a model may be that timm does not know; nothing if it seems to be nowhere."""
    short = name.rpartition(".")[2].lower()
    if short in torchvision.models.list_models(module=torchvision.models):
        return f"torchvision has it: --model torchvision:{short}"
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        return f"if timm's weights are on the Hugging Face hub: --model {HUB_PREFIX}{name}"
    return ""


def _folder_architecture(name: str) -> Architecture:
    """Return the architecture that the `config.json` of a folder names, without its weights.

    Raises:
        MissingInput: There is no such file.
        BadCheckpoint: It names no architecture, or has arguments that no file may decide.
    """
    path = Path(name.removeprefix(LOCAL_PREFIX)) / "config.json"
    training = recorded_training(Checkpoint(path, {}, read_config(path)))
    if not training.models:
        raise BadCheckpoint(f"{str(path)!r} names no architecture of timm's or torchvision's")
    architecture = find_architecture(training.models[0])
    arguments = recorded_arguments(training.arguments, architecture, origin=str(path))
    config = timm.models.get_pretrained_cfg(architecture.name)
    return replace(
        architecture,
        name=name,
        create=partial(architecture.create, **arguments),
        data_config={
            **(architecture.data_config or (config.to_dict() if config else {})),
            **training.preprocessing,
        },
    )


def _hub_architecture(name: str) -> Architecture:
    """Return the architecture that the configuration of a Hugging Face repository names.

    Raises:
        WeightsUnavailable: The configuration is out of reach.
        BadCheckpoint: It is none, or has arguments that no file may decide.
    """
    try:
        with quiet_hub():
            _, model, arguments = load_model_config_from_hf(name.removeprefix(HUB_PREFIX))
        known = timm.models.is_model(model)
    except OSError as error:
        raise WeightsUnavailable(
            f"the configuration of {name} could not be fetched: {error}",
            hint="check the network, or add --checkpoint FILE and the --model it is for",
        ) from error
    except UNBUILDABLE as error:  # whatever is not as timm expects it
        reason = shortened(repr(error), most=300)
        raise BadCheckpoint(f"the configuration of {name} is none: {reason}") from error
    if not known:
        raise BadCheckpoint(f"{name} is for {shortened(repr(model))}, which timm has not")
    recorded_arguments(arguments or {}, _timm_architecture(model), origin=name)
    build = partial(timm.create_model, name)
    return Architecture(name, build, partial(build, pretrained=True))


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keep back what the client of the Hugging Face hub says of each try; the last one's is raised.

    What it says in the end is an error like any other, with a hint.
    """
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _untrained(build: Callable[..., nn.Module], **arguments: Any) -> nn.Module:
    try:
        return build(weights=None, **arguments)
    except NotImplementedError:  # a regnet reckons with tensors, which must have numbers
        with _widths_on_cpu():
            return build(weights=None, **arguments)


@contextmanager
def _widths_on_cpu() -> Iterator[None]:
    """Let torchvision find the widths of a regnet on the CPU, wherever the network is built."""
    original = vars(BlockParams)["from_init_params"]

    def from_init_params(kind: type[BlockParams], *args: Any, **arguments: Any) -> BlockParams:
        with torch.device("cpu"):
            params: BlockParams = original.__func__(kind, *args, **arguments)
        return params

    BlockParams.from_init_params = classmethod(from_init_params)
    try:
        yield
    finally:
        BlockParams.from_init_params = original


def _torchvision_architecture(name: str, short: str) -> Architecture:
    known = torchvision.models.list_models(module=torchvision.models)
    if short not in known:
        raise UnknownModel(short, known, where="torchvision")
    preset = torchvision.models.get_model_weights(short).DEFAULT.transforms()
    crop, resize = preset.crop_size[0], preset.resize_size[0]
    build = partial(torchvision.models.get_model, short)
    return Architecture(
        name,
        partial(_untrained, build),
        partial(build, weights="DEFAULT"),
        data_config={
            "input_size": (3, crop, crop),
            "crop_pct": crop / resize,
            "interpolation": preset.interpolation.value,
            "mean": tuple(preset.mean),
            "std": tuple(preset.std),
        },
    )

"""Load a network: an architecture, and pretrained weights or those of a checkpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import timm.models
from torch import nn

from errlens.errors import IncompatibleCheckpoint, UnfitOption, WeightsUnavailable
from errlens.model.networks.architecture import Architecture
from errlens.model.networks.arguments import recorded_arguments
from errlens.model.networks.building import build_for
from errlens.model.networks.sources import LOCAL_PREFIX, find_architecture
from errlens.model.weights.architectures import (
    choose_architecture,
    fitting_architectures,
    similar_architectures,
)
from errlens.model.weights.checkpoints import Checkpoint, apply_checkpoint, read_checkpoint
from errlens.model.weights.training import Training, recorded_training


@dataclass(frozen=True)
class Network:
    """A network with its weights, and what is known of the preprocessing.

    `data_config` uses timm's keys (`input_size`, `mean`, `crop_pct` ...); empty where nothing is
    known. `arguments` are what it was built with. `remarks` say what a checkpoint decided, by what
    it records or by its tensors; `names_source` is the file its `label_names` come from.
    """

    module: nn.Module
    name: str
    arguments: Mapping[str, Any]
    data_config: Mapping[str, Any]
    remarks: list[str] = field(default_factory=list)
    names_source: str = ""


def load_network(
    name: str | None = None,
    *,
    checkpoint: Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    num_classes: int | None = None,
    img_size: int | None = None,
    use_ema: bool = False,
) -> Network:
    """Load a network ready for inference, on the CPU.

    Args:
        name: A timm name, `hf-hub:REPOSITORY`, `torchvision:NAME` or `package.module:function`;
            without one, the checkpoint must tell.
        checkpoint: Weights to use instead of the pretrained ones: a file, or a Hugging Face folder.
        arguments: Further arguments of the architecture.
        num_classes: Number of outputs where no checkpoint tells it.
        img_size: Image size; networks that are built for one size are built for this one.
        use_ema: Take the moving average of the weights in the checkpoint.

    Raises:
        UnknownModel: No library knows the name.
        UnfitOption: `num_classes` contradicts the checkpoint, or would give untrained outputs;
            there is neither name nor checkpoint, or it does not tell the architecture.
        WeightsUnavailable: Pretrained weights do not exist or cannot be fetched.
        UnfitModel: The architecture refuses its arguments.
        BadCheckpoint, IncompatibleCheckpoint, MissingInput: The checkpoint cannot be used.
    """
    given = dict(arguments or {})
    if checkpoint is None and name and name.startswith(LOCAL_PREFIX):
        # timm would load the weights unchecked; here they are a checkpoint like any other.
        read = read_checkpoint(Path(name.removeprefix(LOCAL_PREFIX)), use_ema=use_ema)
        return replace(_trained(read, None, given, num_classes, img_size), name=name)
    if checkpoint is not None:
        read = read_checkpoint(checkpoint, use_ema=use_ema)
        return _trained(read, name, given, num_classes, img_size)
    if name is None:
        raise UnfitOption("which model?", hint="add --model NAME, --checkpoint FILE or both")
    if use_ema:
        raise UnfitOption("--use-ema chooses among the weights of a --checkpoint; there is none")
    architecture = find_architecture(name)
    given = {**_size_argument(name, img_size), **given}
    module = _pretrained(architecture, given, num_classes)
    return Network(module.eval(), name, given, _data_config(architecture, module))


def bare_network(
    name: str, arguments: Mapping[str, Any], num_classes: int | None = None
) -> Network:
    """Build an architecture with the weights it starts with; nothing is fetched.

    Raises:
        UnknownModel: No library knows the name.
        UnfitModel: The architecture refuses its arguments.
    """
    architecture = find_architecture(name)
    module = architecture.build(architecture.create, arguments, num_classes)
    return Network(module.eval(), name, arguments, _data_config(architecture, module))


def _trained(
    checkpoint: Checkpoint,
    name: str | None,
    arguments: Mapping[str, Any],
    num_classes: int | None,
    img_size: int | None,
) -> Network:
    """Load the network of a checkpoint, as the user says or else as the checkpoint does."""
    training = recorded_training(checkpoint)
    names = [name] if name else list(training.models) or [choose_architecture(checkpoint)]
    if not set(names) & set(training.models):
        training = Training(models=(), class_names=training.class_names)  # of another network
    if img_size is None:
        training.refuse_large_images(checkpoint.origin)
    size = img_size or training.img_size

    def load(model: str) -> Network:
        architecture = find_architecture(model)
        left = {key: value for key, value in training.arguments.items() if key not in arguments}
        recorded = recorded_arguments(left, architecture, origin=checkpoint.origin)
        given = {**_size_argument(model, size), **recorded, **arguments}
        module = _with_weights(architecture, given, checkpoint, num_classes)
        config = {**_data_config(architecture, module), **training.preprocessing}
        if training.class_names:
            config["label_names"] = training.class_names
        return Network(module.eval(), model, given, config, names_source=checkpoint.origin)

    network = _first_that_fits(names, load)
    if not name:
        whose = f"the only one of timm's with the tensors of {checkpoint.path.name}"
        source = f"recorded in {checkpoint.origin}" if training.models else whose
        network.remarks.append(f"architecture {network.name}: {source}")
    network.remarks.extend(_remarks(checkpoint, training, given=arguments))
    return network


def _remarks(
    checkpoint: Checkpoint, training: Training, *, given: Mapping[str, Any]
) -> Iterator[str]:
    """Say what a checkpoint decided, and the user did not."""
    recorded = [
        *(f"{key}={value}" for key, value in training.arguments.items() if key not in given),
        *training.preprocessing,
    ]
    if recorded:
        yield f"{', '.join(recorded)}: recorded in {checkpoint.origin}, unless given here"
    if checkpoint.has_average:
        yield "a moving average of the weights is there too: --use-ema takes it"


def _first_that_fits(names: Sequence[str], load: Callable[[str], Network]) -> Network:
    first, *others = names
    try:
        return load(first)
    except IncompatibleCheckpoint:
        for name in others:
            with suppress(IncompatibleCheckpoint):
                return load(name)
        raise


def _data_config(architecture: Architecture, module: nn.Module) -> Mapping[str, Any]:
    if architecture.data_config is not None:
        return architecture.data_config
    return getattr(module, "pretrained_cfg", None) or {}


def _size_argument(name: str, img_size: int | None) -> dict[str, int]:
    """Return the argument that builds a timm network for an image size, where it needs one."""
    if img_size is None or ":" in name:
        return {}
    config = timm.models.get_pretrained_cfg(name)
    return {"img_size": img_size} if config and config.fixed_input_size else {}


def _pretrained(
    architecture: Architecture, arguments: Mapping[str, Any], num_classes: int | None
) -> nn.Module:
    if num_classes is not None and not architecture.by_user:
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
    architecture: Architecture,
    arguments: Mapping[str, Any],
    checkpoint: Checkpoint,
    num_classes: int | None,
) -> nn.Module:
    """Build a network with as many outputs as the checkpoint has, and load it."""
    try:
        module, state = build_for(checkpoint, architecture, arguments, num_classes)
        apply_checkpoint(module, state, path=checkpoint.path, model=architecture.name)
    except IncompatibleCheckpoint as error:
        fitting = fitting_architectures(checkpoint) or similar_architectures(checkpoint)
        if fitting and architecture.name not in fitting:
            error.hint = f"its tensors are those of timm's {fitting[0]}: --model {fitting[0]}"
        raise
    return module

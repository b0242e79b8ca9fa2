"""Build a network for the weights of a file, never larger than what the file holds.

First as a blueprint, on torch's `meta` device: its tensors have names and shapes and take no
memory. Only if its tensors are those of the file is the network built with memory for them.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from errlens.errors import UnfitModel, UnfitOption, some
from errlens.formats import counted
from errlens.model.networks.architecture import Architecture
from errlens.model.weights.checkpoints import Checkpoint
from errlens.model.weights.fitting import (
    check_fit,
    count_outputs,
    find_prefix,
    load_weights,
    matching_part,
    refuse_diverged,
)

SPARE_TENSORS: Final = 5_000  # more than the deepest architecture of timm has
SPARE_NUMBERS: Final = 2**27  # of buffers that no file holds, such as relative positions
MOST_TIMES: Final = 4  # the usual size, where there is no file to tell it
# What trainings put behind the features of a network: heads, projections, what they compare with.
_BEHIND: Final = re.compile(
    r"((pre_)?(head|fc|classif|proj|predict|decoder|prototype|queue|criterion|loss|arcface|margin)"
    r"\w*|mask_token|logit_scale|\d+)(\..*)?"
)


class _TooLarge(Exception):
    """A network has more parts than it may; raised while it is built."""


def build_for(
    checkpoint: Checkpoint,
    architecture: Architecture,
    arguments: Mapping[str, Any],
    num_classes: int | None = None,
) -> tuple[nn.Module, Mapping[str, Tensor]]:
    """Build a network with as many outputs as a checkpoint has; return it with its weights.

    Args:
        checkpoint: The weights; they are not loaded yet.
        architecture: What to build.
        arguments: Arguments of the architecture.
        num_classes: The number of outputs where the checkpoint does not tell.

    Raises:
        UnfitOption: `num_classes` contradicts the checkpoint.
        UnfitModel: The architecture refuses its arguments, or makes something enormous of them.
        BadCheckpoint, IncompatibleCheckpoint: Its tensors are not those of the checkpoint.
    """
    head = architecture.head
    if head is None:
        head = last_linear(blueprint(architecture, arguments, None, checkpoint))
    outputs = count_outputs(checkpoint.state, head)
    if outputs is not None and num_classes not in (None, outputs):
        raise UnfitOption(
            f"--num-classes says {num_classes}, but {checkpoint.path.name} has "
            f"{counted(outputs, 'output')}",
            hint="leave --num-classes out",
        )
    outputs = outputs or num_classes
    plan = blueprint(architecture, arguments, outputs, checkpoint)
    state = matching_part(checkpoint, list(plan.state_dict()))
    check_fit(plan, state, path=checkpoint.path, model=architecture.name)
    if architecture.by_user:  # built with its weights already
        return plan, state
    return architecture.build(architecture.create, arguments, outputs), state


def build_with_new_head(
    checkpoint: Checkpoint, architecture: Architecture, arguments: Mapping[str, Any], outputs: int
) -> tuple[nn.Module, list[str]]:
    """Build a network with the weights of a checkpoint but for its classifier, which is untrained.

    Args:
        checkpoint: The weights.
        architecture: What to build.
        arguments: Arguments of the architecture.
        outputs: Of the new classifier.

    Returns:
        The network, and what of the checkpoint is not in it: former heads and what stood after.

    Raises:
        IncompatibleCheckpoint: The rest of its tensors are not those of the network.
        UnfitModel, BadCheckpoint: As for `build_for`.
    """
    plan = blueprint(architecture, arguments, outputs, checkpoint)
    heads = (architecture.head or last_linear(plan), *architecture.further_heads)
    inside = tuple(f"{head}." for head in heads)
    own = plan.state_dict()
    body = [name for name in own if not name.startswith(inside)]
    state = {
        name: tensor
        for name, tensor in matching_part(checkpoint, body).items()
        if not name.startswith(inside) and not (name not in own and _BEHIND.fullmatch(name))
    }
    whole = {**state, **{name: own[name] for name in own if name.startswith(inside)}}
    check_fit(plan, whole, path=checkpoint.path, model=architecture.name)
    module = architecture.build(architecture.create, arguments, outputs)
    load_weights(module, state)
    refuse_diverged(module, checkpoint.path)
    prefix, _ = find_prefix(checkpoint, body)
    return module, [name for name in checkpoint.state if name.removeprefix(prefix) not in state]


def head_renamed(
    checkpoint: Checkpoint, layer: str, architecture: Architecture, arguments: Mapping[str, Any]
) -> Checkpoint:
    """Return a checkpoint in which the last layer is called as the architecture calls it.

    Raises:
        UnfitOption: It has no such layer.
    """
    own = blueprint(architecture, arguments, None, checkpoint)
    head = architecture.head or last_linear(own)
    theirs = [name for name in checkpoint.state if name.rpartition(".")[0] == layer]
    if not theirs:
        matrices = [name for name, tensor in checkpoint.state.items() if tensor.ndim == 2]
        layers = [name.rpartition(".")[0] for name in matrices]
        raise UnfitOption(
            f"--head {layer}: {checkpoint.path.name} has no layer of that name",
            hint=f"linear layers at its end: {some(layers[-3:])}" if layers else "",
        )
    body = [name for name in own.state_dict() if not name.startswith(f"{head}.")]
    prefix, _ = find_prefix(checkpoint, body)
    state = {
        f"{prefix}{head}{name.removeprefix(layer)}" if name in theirs else name: tensor
        for name, tensor in checkpoint.state.items()
    }
    return replace(checkpoint, state=state)


def check_size(architecture: Architecture, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that make an architecture many times what it is without them.

    Raises:
        UnfitModel: They do, or it refuses them.
    """
    with torch.device("meta"):
        usual = _numbers_of(architecture.create())
    try:
        with torch.device("meta"), _limited(2 * SPARE_TENSORS):
            asked = _numbers_of(architecture.build(architecture.create, arguments))
    except _TooLarge:
        asked = -1
    if not 0 <= asked <= MOST_TIMES * usual + SPARE_NUMBERS:
        raise UnfitModel(
            f"{architecture.name} with {', '.join(arguments)} as recorded would be more than "
            f"{MOST_TIMES} times its usual size",
            hint="where the run is yours, add --trust-run",
        )


def last_linear(module: nn.Module) -> str:
    """Name the last linear layer, or the last convolution where there is none."""
    for kind in (nn.Linear, nn.Conv2d):
        names: list[str] = [
            name for name, layer in module.named_modules() if isinstance(layer, kind)
        ]
        if names:
            return names[-1]
    return ""


def blueprint(
    architecture: Architecture,
    arguments: Mapping[str, Any],
    outputs: int | None,
    checkpoint: Checkpoint,
) -> nn.Module:
    """Build a network without memory for its weights; the user's factories as they are.

    Raises:
        UnfitModel: The architecture refuses its arguments, or is far larger than the checkpoint.
    """
    if architecture.by_user:
        return architecture.build(architecture.create, arguments, outputs)
    held = sum(tensor.numel() for tensor in checkpoint.state.values())
    try:
        with torch.device("meta"), _limited(2 * len(checkpoint.state) + SPARE_TENSORS):
            module = architecture.build(architecture.create, arguments, outputs)
    except _TooLarge as error:
        raise _too_large(architecture, f"{len(checkpoint.state)} tensors", checkpoint) from error
    if sum(buffer.numel() for buffer in module.buffers()) > held + SPARE_NUMBERS:
        raise _too_large(architecture, f"{held:,} numbers", checkpoint)
    return module


def _numbers_of(module: nn.Module) -> int:
    return sum(tensor.numel() for tensor in (*module.parameters(), *module.buffers()))


def _too_large(architecture: Architecture, held: str, checkpoint: Checkpoint) -> UnfitModel:
    return UnfitModel(
        f"{architecture.name} with the arguments given would be far larger than the {held} of "
        f"{checkpoint.path.name}",
        hint="see --model-kwargs",
    )


@contextmanager
def _limited(most: int) -> Iterator[None]:
    """Stop building a network once it has more parts (layers, parameters, buffers) than these."""
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise _TooLarge

    handles = [
        hooks.register_module_parameter_registration_hook(counted),
        hooks.register_module_buffer_registration_hook(counted),
        hooks.register_module_module_registration_hook(counted),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

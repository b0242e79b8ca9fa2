"""Build a network for the weights of a file, never larger than what the file holds.

First as a blueprint, on torch's `meta` device: its tensors have names and shapes and take no
memory. Only if its tensors are those of the file is the network built with memory for them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from errlens.errors import UnfitModel, UnfitOption
from errlens.model.networks.architecture import Architecture
from errlens.model.weights.checkpoints import Checkpoint, check_fit, count_outputs, matching_part

SPARE_TENSORS: Final = 5_000  # more than the deepest architecture of timm has
SPARE_NUMBERS: Final = 2**27  # of buffers that no file holds, such as relative positions
MOST_TIMES: Final = 4  # the usual size, where there is no file to tell it


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
        head = last_linear(_blueprint(architecture, arguments, None, checkpoint))
    outputs = count_outputs(checkpoint.state, head)
    if outputs is not None and num_classes not in (None, outputs):
        raise UnfitOption(
            f"--num-classes says {num_classes}, but {checkpoint.path.name} has {outputs} outputs"
        )
    outputs = outputs or num_classes
    plan = _blueprint(architecture, arguments, outputs, checkpoint)
    state = matching_part(checkpoint, list(plan.state_dict()))
    check_fit(plan, state, path=checkpoint.path, model=architecture.name)
    if architecture.by_user:  # built with its weights already
        return plan, state
    return architecture.build(architecture.create, arguments, outputs), state


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


def _blueprint(
    architecture: Architecture,
    arguments: Mapping[str, Any],
    outputs: int | None,
    checkpoint: Checkpoint,
) -> nn.Module:
    """Build a network without memory for its weights; the user's factories as they are."""
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

"""Fit the weights of a checkpoint into a network: under which prefix, and exactly."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint, some
from errlens.model.weights.checkpoints import Checkpoint, StateDict, lines_to_save


class Difference(NamedTuple):
    """In which tensors, by name, weights are not those of a network."""

    missing: list[str]
    unexpected: list[str]
    misshaped: list[str]


def matching_part(checkpoint: Checkpoint, names: Sequence[str]) -> StateDict:
    """Return the part of a checkpoint whose tensors have a network's names, prefixes stripped.

    `module.`, `model.` and the like come from what the network was wrapped in. Whatever lies
    outside the prefix (a criterion, a metric) is left out, but where tensors are missing inside.

    Raises:
        BadCheckpoint: Several prefixes hold all tensors of the network.
    """
    prefix, is_whole = find_prefix(checkpoint, names)
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint.state.items()
        if name.startswith(prefix) or not is_whole
    }


def find_prefix(checkpoint: Checkpoint, names: Sequence[str]) -> tuple[str, bool]:
    """Return what stands before a network's names in a checkpoint, and whether all are there.

    Raises:
        BadCheckpoint: Several prefixes hold all tensors of the network.
    """
    own = set(names)
    prefixes: Counter[str] = Counter()
    for name in checkpoint.state:
        steps = name.split(".")
        for cut in range(len(steps)):
            if ".".join(steps[cut:]) in own:
                prefixes["".join(f"{step}." for step in steps[:cut])] += 1
    if not prefixes:
        return "", False
    most = max(prefixes.values())
    best = sorted((prefix for prefix, count in prefixes.items() if count == most), key=len)
    if len(best) > 1 and most == len(own):
        raise BadCheckpoint(
            f"checkpoint {str(checkpoint.path)!r} holds the model several times: {some(best)}",
            hint="where you trust it, save one of them alone:",
            code=lines_to_save(checkpoint.path, place=checkpoint.place, under=best[0]),
        )
    return best[0], most == len(own)


def count_outputs(state: StateDict, classifier: str) -> int | None:
    """Return the number of outputs of a classifier layer, under whatever prefix; None if absent."""
    for kind in ("weight", "bias"):
        own = f"{classifier}.{kind}"
        names = [name for name in state if f".{name}".endswith(f".{own}")]
        weights = state[min(names, key=len)] if names else torch.empty(0)
        if weights.ndim and weights.numel():
            return int(weights.shape[0])
    return None


def apply_checkpoint(
    module: nn.Module, state: StateDict, *, path: Path, model: str = "the model"
) -> None:
    """Load a checkpoint into a network whose tensors must be exactly those of the checkpoint.

    Raises:
        IncompatibleCheckpoint: They are not; all differences are listed.
        BadCheckpoint: They are quantised, or no numbers.
    """
    check_fit(module, state, path=path, model=model)
    load_weights(module, state)
    refuse_diverged(module, path)


def load_weights(module: nn.Module, state: StateDict) -> None:
    """Load weights, some or all of a network's, that have its names and shapes.

    Some modules would otherwise take them for those of an older version, or refuse them: they ask
    for the version that a dict of `state_dict` holds beside the tensors.
    """
    whole = module.state_dict()
    whole.update(state)
    module.load_state_dict(whole)


def compare(own: StateDict, state: StateDict) -> Difference:
    """Return how weights differ from those of a network, by name and by shape."""
    return Difference(
        [name for name in own if name not in state],
        [name for name in state if name not in own],
        [name for name in own if name in state and own[name].shape != state[name].shape],
    )


def check_fit(module: nn.Module, state: StateDict, *, path: Path, model: str) -> None:
    """Refuse weights whose names and shapes are not exactly those of a network.

    Raises:
        IncompatibleCheckpoint: They are not; all differences are listed.
        BadCheckpoint: They are quantised.
    """
    own = module.state_dict()
    missing, unexpected, misshaped = compare(own, state)
    if missing or unexpected or misshaped:
        shapes = [
            f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
            for name in misshaped
        ]
        raise IncompatibleCheckpoint(
            path, missing=missing, unexpected=unexpected, misshaped=shapes, model=model
        )
    rounded = [
        name
        for name, tensor in state.items()
        if own[name].is_floating_point() and not tensor.is_floating_point()
    ]
    if rounded:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} is quantised: {some(rounded)} are no floating-point numbers",
            hint="evaluate the weights it was made from",
        )


def refuse_diverged(module: nn.Module, path: Path) -> None:
    """Refuse weights that are infinite or no numbers: no prediction can be made with them.

    Raises:
        BadCheckpoint: They are.
    """
    weights: dict[str, Tensor] = dict(module.named_parameters())
    # Of other buffers some are infinite on purpose, as those that mask an attention.
    buffers = module.named_buffers()
    weights |= {name: buffer for name, buffer in buffers if ".running_" in f".{name}"}
    lost = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
    if lost:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds weights that are infinite or no numbers, in "
            f"{len(lost)} of {len(weights)} tensors: {some(lost)}",
            hint="the training has diverged: take a checkpoint from before",
        )

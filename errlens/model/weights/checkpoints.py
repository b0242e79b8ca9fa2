"""Read the weights of a checkpoint, never its code, and fit them into a network."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint, UnfitOption, shortened, some
from errlens.model.weights.files import (
    IN_FOLDERS,
    InertObject,
    config_beside,
    find_file,
    metadata_config,
    read_tree,
)

# What weights are called inside a training's checkpoint, where there are several state dicts.
_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "model_state", "net", "weights")
MOST_TENSORS: Final = 50_000  # the largest architecture of timm has some 2,000
LONGEST_NAME: Final = 500
MOST_LEVELS: Final = 50  # layers inside layers
MOST_CLAIMED: Final = 4  # times the bytes of the file, where several tensors share numbers
SPARE_BYTES: Final = 2**24
# Mappings of tensors that are no weights, by a part of their name.
_NO_WEIGHTS: Final = ("optim", "sched", "scaler", "rng", "callbacks", "loops")
_EMA: Final = re.compile(r"(^|[._])ema([._]|$)", re.IGNORECASE)

StateDict = Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a checkpoint by name, and what was `recorded` beside them.

    `has_average` says that a moving average of the weights, not taken, is there too.
    """

    path: Path
    state: StateDict
    recorded: Mapping[str, Any] = field(default_factory=dict)
    has_average: bool = False

    @property
    def origin(self) -> str:
        """The file that holds what was recorded, for messages."""
        config = self.path.with_name("config.json")
        in_folder = self.path.name in IN_FOLDERS and config.is_file()
        return f"{config.parent.name}/{config.name}" if in_folder else self.path.name


def read_checkpoint(path: Path, *, use_ema: bool = False) -> Checkpoint:
    """Read the tensors of a checkpoint, running nothing it contains.

    A state dict inside a training's checkpoint is found by what it is, not by its name. Whatever
    else is pickled there (numpy scalars, namespaces, objects of unknown classes) becomes inert.

    Args:
        path: A file of one of `SUFFIXES`, or a Hugging Face folder.
        use_ema: Take the moving average of the weights instead of the weights themselves.

    Raises:
        MissingInput: There is no such file.
        BadCheckpoint: It is damaged, holds no weights, a whole module, or several state dicts.
        UnfitOption: It holds no moving average.
    """
    file = find_file(path)
    loaded = read_tree(file)
    weights, has_average = _find_state(loaded, file, use_ema=use_ema)
    _check_tensors(weights, file)
    state = {
        name.replace("_orig_mod.", ""): tensor  # what torch.compile calls the network inside
        for name, tensor in weights.items()
    }
    recorded = {**config_beside(file), **metadata_config(file), **_recorded(loaded)}
    return Checkpoint(file, state, recorded, has_average)


def matching_part(checkpoint: Checkpoint, names: Sequence[str]) -> StateDict:
    """Return the part of a checkpoint whose tensors have a network's names, prefixes stripped.

    `module.`, `model.` and the like come from what the network was wrapped in. Whatever lies
    outside the prefix (a criterion, a metric) is left out, but where tensors are missing inside.

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
        return checkpoint.state
    most = max(prefixes.values())
    best = sorted((prefix for prefix, count in prefixes.items() if count == most), key=len)
    if len(best) > 1 and most == len(own):
        raise BadCheckpoint(
            f"checkpoint {str(checkpoint.path)!r} holds the model several times: {some(best)}",
            hint="save the state dict of one of them alone",
        )
    prefix = best[0]
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint.state.items()
        if name.startswith(prefix) or most < len(own)
    }


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
    module.load_state_dict(dict(state))
    _refuse_diverged(module, path)


def check_fit(module: nn.Module, state: StateDict, *, path: Path, model: str) -> None:
    """Refuse weights whose names and shapes are not exactly those of a network.

    Raises:
        IncompatibleCheckpoint: They are not; all differences are listed.
        BadCheckpoint: They are quantised.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshaped = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    if missing or unexpected or misshaped:
        raise IncompatibleCheckpoint(
            path, missing=missing, unexpected=unexpected, misshaped=misshaped, model=model
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


def _refuse_diverged(module: nn.Module, path: Path) -> None:
    """Refuse weights that are infinite or no numbers: no prediction can be made with them."""
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


def hash_weights(module: nn.Module) -> str:
    """Return the sha256 over all parameters and buffers: name, dtype, shape and bytes, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _recorded(loaded: object) -> dict[str, Any]:
    """Return what lies beside the weights of a training's checkpoint."""
    if not isinstance(loaded, Mapping):
        return {}
    return {
        key: value
        for key, value in loaded.items()
        if isinstance(key, str) and not isinstance(value, Tensor)
    }


def _check_tensors(state: StateDict, path: Path) -> None:
    """Refuse tensors that are not wholly in the file, whatever sizes they claim."""
    if len(state) > MOST_TENSORS:
        raise BadCheckpoint(f"checkpoint {str(path)!r} holds {len(state):,} tensors")
    for name in state:
        if len(name) > LONGEST_NAME or name.count(".") > MOST_LEVELS:
            raise BadCheckpoint(
                f"checkpoint {str(path)!r} holds a tensor called {shortened(name)!r}"
            )
    odd = [
        name
        for name, tensor in state.items()
        if tensor.layout is not torch.strided or tensor.device.type != "cpu"
    ]
    if odd:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds tensors without all of their numbers: {some(odd)}",
            hint="save dense tensors on the CPU",
        )
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    held = path.stat().st_size
    if claimed > MOST_CLAIMED * held + SPARE_BYTES:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} has {held:,} bytes, but its tensors claim {claimed:,}",
            hint="they repeat the same numbers: save them with .contiguous()",
        )


def _find_state(loaded: object, path: Path, *, use_ema: bool) -> tuple[StateDict, bool]:
    """Return the one state dict that a checkpoint holds, or that its names single out.

    And whether there is a moving average that was not taken.
    """
    states = dict(_state_dicts(loaded, set()))
    averages = {name: state for name, state in states.items() if _EMA.search(name)}
    if use_ema and not averages:
        raise UnfitOption(f"--use-ema: {str(path)!r} holds no moving average (EMA) of the weights")
    weights = {name: state for name, state in states.items() if name not in averages}
    wanted = averages if averages and (use_ema or not weights) else weights
    named = [name for name in wanted if name.rpartition(".")[2] in _WRAPPERS]
    for names in (list(wanted), named):
        if len(names) == 1:
            return wanted[names[0]], bool(averages) and wanted is weights
    if wanted:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds several state dicts: {some(sorted(wanted))}",
            hint="save the one to evaluate alone: torch.save(model.state_dict(), PATH)",
        )
    _refuse_module(loaded, path)
    raise BadCheckpoint(f"checkpoint {str(path)!r} holds no weights but a {type(loaded).__name__}")


def _state_dicts(
    tree: object, seen: set[int], name: str = "", depth: int = 0
) -> Iterator[tuple[str, StateDict]]:
    """Yield every mapping of names to tensors once, with its place in the tree."""
    if not isinstance(tree, Mapping) or depth > 4 or any(no in name for no in _NO_WEIGHTS):
        return
    if id(tree) in seen:  # a tree may hold itself
        return
    seen.add(id(tree))
    tensors = {key: value for key, value in tree.items() if isinstance(value, Tensor)}
    inner = [pair for pair in tree.items() if isinstance(pair[1], Mapping)]
    if tensors and all(isinstance(key, str) for key in tree) and not inner:
        average = {key: tensors[key] for key in tensors if _EMA.search(key.partition(".")[0])}
        weights = {key: tensors[key] for key in tensors if key not in average}
        if weights and average:  # side by side, as a Lightning module has them
            yield f"{name}.ema", average
        yield name, weights or average
    for key, value in inner:
        if isinstance(key, str):
            yield from _state_dicts(value, seen, f"{name}.{key}".lstrip("."), depth + 1)


def _refuse_module(loaded: object, path: Path) -> None:
    """Say how to save the weights of a network that was pickled whole."""
    held = loaded.items() if isinstance(loaded, Mapping) else [("", loaded)]
    for key, value in held:
        if isinstance(value, InertObject) and hasattr(value, "_parameters"):
            kind = f"{type(value).__module__}.{type(value).__name__}"
            inside = f"[{key!r}]" if key else ""
            target = f"{path.with_suffix('')}-weights.pth"
            raise BadCheckpoint(
                f"checkpoint {str(path)!r} is a pickled module ({kind}); loading it would run code",
                hint="where you trust it and have its code, save its weights alone:",
                code=(
                    f"model = torch.load({str(path)!r}, weights_only=False){inside}",
                    f"torch.save(model.state_dict(), {target!r})",
                ),
            )

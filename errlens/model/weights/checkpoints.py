"""Read the weights of a checkpoint, never its code."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from errlens.errors import BadCheckpoint, UnfitOption, shortened, some
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

    `has_average` says that a moving average of the weights, not taken, is there too; `place` are
    the keys, joined by dots, under which the weights lie in the file.
    """

    path: Path
    state: StateDict
    recorded: Mapping[str, Any] = field(default_factory=dict)
    has_average: bool = False
    place: str = ""

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
    place, weights, has_average = _find_state(loaded, file, use_ema=use_ema)
    _check_tensors(weights, file)
    state = {
        name.replace("_orig_mod.", ""): tensor  # what torch.compile calls the network inside
        for name, tensor in weights.items()
    }
    recorded = {**config_beside(file), **metadata_config(file), **_recorded(loaded)}
    return Checkpoint(file, state, recorded, has_average, place)


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


def _find_state(loaded: object, path: Path, *, use_ema: bool) -> tuple[str, StateDict, bool]:
    """Return the one state dict that a checkpoint holds, or that its names single out.

    Its place before it, and after it whether there is a moving average that was not taken.
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
            return names[0], wanted[names[0]], bool(averages) and wanted is weights
    if wanted:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds several state dicts: {some(sorted(wanted))}",
            hint="where you trust it, save the one to evaluate alone:",
            code=lines_to_save(path, place=max(wanted, key=_likeliest)),
        )
    _refuse_module(loaded, path)
    if isinstance(loaded, Mapping) and any(
        "optim" in str(key) or key == "param_groups" for key in loaded
    ):
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds the state of an optimizer, and no weights",
            hint="the weights are in another file of the training; if in none, save them: "
            "torch.save(model.state_dict(), PATH)",
        )
    raise BadCheckpoint(
        f"checkpoint {str(path)!r} holds no weights but a {type(loaded).__name__}",
        hint="save them: torch.save(model.state_dict(), PATH)",
    )


def _likeliest(place: str) -> tuple[bool, bool]:
    """Put first the network that others learn from, where several are trained together."""
    return "teacher" in place or "target" in place, "student" not in place


def lines_to_save(
    path: Path, *, place: str = "", under: str = "", without: Sequence[str] = ()
) -> list[str]:
    """Return lines of Python that save a part of a checkpoint's weights.

    Args:
        path: The checkpoint.
        place: The keys, joined by dots, under which its weights lie.
        under: Take only the tensors whose names start so, and drop that start.
        without: Leave out these tensors.
    """
    safe = path.suffix.lower() == ".safetensors"
    library = "safetensors.torch" if safe else "torch"
    read = "load_file" if safe else "load"
    write = "save_file" if safe else "save"
    trust = "" if safe else ", weights_only=False"
    keys = "".join(f"[{key!r}]" for key in place.split(".") if key and key != "ema")
    part = "state"
    if under:
        inside = f"for k, v in state.items() if k.startswith({under!r})"
        part = f"{{k.removeprefix({under!r}): v {inside}}}"
    elif without:
        part = f"{{k: v for k, v in state.items() if k not in {[*without]!r}}}"
    target = str(path.with_name(f"{path.stem}-part{path.suffix}"))
    return [
        f"import {library}",
        f"state = {library}.{read}({str(path)!r}{trust}){keys}",
        f"{library}.{write}({part}, {target!r})",
    ]


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

"""Read the weights of a checkpoint, never its code, and fit them into a network."""

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint, MissingInput, some

SUFFIXES: Final = (".safetensors", ".pt", ".pth")

# Where training scripts keep the weights inside their checkpoint.
_WRAPPERS: Final = ("state_dict", "model")

StateDict = Mapping[str, Tensor]


def read_checkpoint(path: Path) -> StateDict:
    """Read the tensors of a `.safetensors`, `.pt` or `.pth` file, running nothing it contains.

    Raises:
        MissingInput: There is no such file.
        BadCheckpoint: It is damaged, holds anything but tensors, or would run code.
    """
    if not path.is_file():
        raise MissingInput(path, what="checkpoint")
    if path.suffix.lower() not in SUFFIXES:
        raise BadCheckpoint(f"checkpoint {str(path)!r} is none of {', '.join(SUFFIXES)}")
    loaded = (
        _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_pickle(path)
    )
    for key in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not loaded:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds no weights but a {type(loaded).__name__}"
        )
    strange = [str(name) for name, value in loaded.items() if not isinstance(value, Tensor)]
    if strange:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds more than weights: {some(strange)}",
            hint="save the weights alone: torch.save(model.state_dict(), PATH)",
        )
    return loaded


def count_outputs(state: StateDict, classifier: str) -> int | None:
    """Return the number of outputs of a checkpoint's classifier layer, None if it has none."""
    for kind in ("weight", "bias"):
        if f"{classifier}.{kind}" in state:
            return int(state[f"{classifier}.{kind}"].shape[0])
    return None


def apply_checkpoint(module: nn.Module, state: StateDict, *, path: Path) -> None:
    """Load a checkpoint into a network whose tensors must be exactly those of the checkpoint.

    Raises:
        IncompatibleCheckpoint: They are not; all differences are listed.
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
            path, missing=missing, unexpected=unexpected, misshaped=misshaped
        )
    module.load_state_dict(dict(state))


def hash_weights(module: nn.Module) -> str:
    """Return the sha256 over all parameters and buffers: name, dtype, shape and bytes, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _read_safetensors(path: Path) -> StateDict:
    try:
        tensors: StateDict = load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(f"checkpoint {str(path)!r} cannot be read: {error}") from error
    return tensors


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch remarks on pickles that are refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} holds objects besides weights{_foreign_objects(path)}; "
            "loading them could run code, so nothing was loaded",
            hint="where you trust it, save the weights alone: torch.save(model.state_dict(), PATH)",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise BadCheckpoint(f"checkpoint {str(path)!r} cannot be read: {error}") from error


def _foreign_objects(path: Path) -> str:
    """Name what a checkpoint would import, where torch can tell without importing it."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (RuntimeError, ValueError, pickle.UnpicklingError):
        return ""
    return f" ({some(sorted(names))})" if names else ""

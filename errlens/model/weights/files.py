"""Open the files weights come in, running nothing they contain."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from errlens.documents import BadDocument, parse_json, read_text
from errlens.errors import BadCheckpoint, MissingInput, shortened, some
from errlens.escapes import shell_line
from errlens.model.weights.pickles import foreign_globals

SUFFIXES: Final = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".tar")
_OF_OTHER_LIBRARIES: Final = frozenset(
    {
        ".onnx",
        ".h5",
        ".hdf5",
        ".keras",
        ".tflite",
        ".pb",
        ".mlmodel",
        ".msgpack",
        ".engine",
        ".gguf",
    }
)
IN_FOLDERS: Final = ("model.safetensors", "pytorch_model.bin")  # Hugging Face's names
CONFIG_KEY: Final = "config"  # of safetensors' metadata: what timm's config.json says, as JSON


class InertObject:
    """An object of a checkpoint without its class, which is not imported.

    It keeps the attributes of the object, so that an `argparse.Namespace` can still be read.
    """

    def __new__(cls, *_args: object, **_kwargs: object) -> "InertObject":  # noqa: D102
        return super().__new__(cls)

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


class _InertDict:
    """Becomes a plain dict in place of a subclass of dict, which torch would not fill."""

    def __new__(cls, *_args: object, **_kwargs: object) -> Any:
        return {}


def find_file(path: Path) -> Path:
    """Return the file of weights that a path or a Hugging Face folder stands for.

    Raises:
        MissingInput: There is no such file.
        BadCheckpoint: It is empty, called like no file of weights, or a folder without one.
    """
    try:
        if path.is_dir():
            path = _file_in(path)
        if not path.is_file():
            raise MissingInput(path, what="checkpoint", suffixes=SUFFIXES)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise _unopenable(path, error) from error
    if path.suffix.lower() not in SUFFIXES:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} is none of {', '.join(SUFFIXES)}",
            hint=_of_another_kind(path),
        )
    if not path.stat().st_size:
        raise BadCheckpoint(f"checkpoint {str(path)!r} is empty", hint="copy or download it again")
    return path


def _file_in(folder: Path) -> Path:
    """Return the file of weights in a folder.

    Raises:
        BadCheckpoint: There is none of Hugging Face's names.
    """
    for name in IN_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    what = f"checkpoint {str(folder)!r} is a folder without {' or '.join(IN_FOLDERS)}"
    if any((folder / f"{name}.index.json").is_file() for name in IN_FOLDERS):
        raise BadCheckpoint(
            f"{what}: its weights are in several parts",
            hint="save them in one: model.save_pretrained(FOLDER, max_shard_size='100GB')",
        )
    inside = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    files = " or ".join(f"--checkpoint {shell_line([str(file)])}" for file in inside[:3])
    raise BadCheckpoint(what, hint=files or "pass a file of weights")


def _of_another_kind(path: Path) -> str:
    """Say what to do about a file that is not called like weights."""
    if path.suffix.lower() in _OF_OTHER_LIBRARIES:
        return "predict with the library it is for; errlens import takes the table of predictions"
    if path.suffix.lower() == ".pkl":
        return "where you trust it, save weights alone: torch.save(model.state_dict(), PATH)"
    with path.open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    named = shell_line(["mv", str(path), f"{path}.pth"])
    return f"if torch.save wrote it, call it so: {named}" if is_archive else ""


def read_tree(path: Path) -> object:
    """Return what a file holds: tensors, and whatever lies beside them made inert.

    Raises:
        BadCheckpoint: It is damaged, no file of weights, or cannot be read without running code.
    """
    return _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_pickle(path)


def config_beside(path: Path) -> dict[str, Any]:
    """Return what the `config.json` of a Hugging Face folder says."""
    config = path.with_name("config.json")
    return read_config(config) if path.name in IN_FOLDERS and config.is_file() else {}


def read_config(path: Path) -> dict[str, Any]:
    """Return what a `config.json` says.

    Raises:
        MissingInput: There is no such file.
        BadCheckpoint: It is no JSON.
    """
    if not path.is_file():
        raise MissingInput(path, what="configuration")
    try:
        found = parse_json(read_text(path))
    except BadDocument as error:
        raise BadCheckpoint(f"{str(path)!r} is damaged: {error}") from error
    return found if isinstance(found, dict) else {}


def metadata_config(path: Path) -> dict[str, Any]:
    """Return the configuration in the metadata of a safetensors file; nothing if there is none."""
    if path.suffix.lower() != ".safetensors":
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            found = parse_json((file.metadata() or {}).get(CONFIG_KEY, "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _read_pickle(path: Path) -> object:
    foreign: list[str] = []
    try:
        foreign = foreign_globals(path)
        inert: list[Any] = [_inert_class(name) for name in foreign]
        with warnings.catch_warnings(), torch.serialization.safe_globals(inert):
            warnings.simplefilter("ignore")  # torch remarks on pickles that are refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} cannot be read without running its code"
            + (f" ({some(foreign)})" if foreign else ""),
            hint="where you trust it, save the weights alone: torch.save(model.state_dict(), PATH)",
        ) from error
    except BadCheckpoint:
        raise
    # Damaged pickles raise nearly anything; a bug of errlens would not come from torch.load.
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> BadCheckpoint:
    """Say what a file is that holds no weights, as far as its first bytes tell."""
    try:
        with path.open("rb") as file:
            start = file.read(200).lstrip().lower()
    except OSError as refused:
        return _unopenable(path, refused)
    reason = shortened(str(error).partition(". ")[0], most=200)
    what, hint = f"cannot be read ({reason})", "copy or download it again"
    if start.startswith(b"version https://git-lfs"):
        what, hint = "is a Git LFS pointer, not the file it stands for", "fetch it: git lfs pull"
    elif start.startswith((b"<!doctype", b"<html")):
        what = "is an HTML page, not weights"
    elif "torchscript" in str(error).lower() or _is_torchscript(path):
        what = "is a TorchScript program, not weights"
        hint = "save its weights: torch.save(torch.jit.load(PATH).state_dict(), ANOTHER_PATH)"
    elif not start.startswith((b"pk", b"\x80", b"{")) and path.suffix.lower() != ".safetensors":
        what, hint = (
            "is no file of torch.save",
            "save weights: torch.save(model.state_dict(), PATH)",
        )
    return BadCheckpoint(f"checkpoint {str(path)!r} {what}", hint=hint)


def _unopenable(path: Path, error: OSError) -> BadCheckpoint:
    return BadCheckpoint(f"checkpoint {shortened(str(path))!r} cannot be opened: {error.strerror}")


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _inert_class(name: str) -> tuple[Any, str]:
    """Return the class used instead of the global of this name."""
    module, _, short = name.rpartition(".")
    is_dict = short.lower().endswith(("dict", "cfgnode"))
    base = _InertDict if is_dict else InertObject
    return type(short, (base,), {"__module__": module}), name

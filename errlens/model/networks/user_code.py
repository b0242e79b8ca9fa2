"""Import and call the user's model factories, networks and transforms.

Whatever they raise becomes one sentence. The user may name any function there is. A run may come
from another person, so the function that its `run.json` names must be of the current folder, as far
as this can be told without importing anything.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import torch

from errlens.errors import ErrlensError, ForeignCode, OutOfMemory, UnknownModel, UserCodeFailed

# What torch says where a machine has no memory left, besides raising an error of its own for GPUs.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@contextmanager
def user_code(what: str, *, images: int | None = None) -> Iterator[None]:
    """Tell what the code in this block raises in its own words; Ctrl-C passes.

    Args:
        what: What is called, as the beginning of a sentence.
        images: How many images it is given at a time, where memory may run out.

    Raises:
        UserCodeFailed: It raised something, or tried to end the program.
        OutOfMemory: There was not enough of it.
    """
    try:
        yield
    except ErrlensError:
        raise
    except (Exception, SystemExit) as error:
        if images is not None and is_out_of_memory(error):
            raise OutOfMemory(what, images=images) from error
        raise UserCodeFailed(what, error) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, on whatever device.

    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in words for sign in _NO_MEMORY)


def import_object(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import the user's callable, looking in the current folder too.

    Raises:
        UnknownModel: There is no such module, or nothing callable of this name in it.
        UserCodeFailed: The module raised something as it was imported.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with user_code(f"{module_name}.py, imported for the {what} {module_name}:{name},"):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise  # the user's module exists but lacks something itself
            raise UnknownModel(
                module_name, where=f"for the {what} {module_name}:{name}, Python"
            ) from error
    named: Callable[..., Any] | None = getattr(module, name, None)
    if named is None or not callable(named):
        raise UnknownModel(name, vars(module), where=f"the {what} module {module_name}")
    return named


def import_recorded(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import a callable that a run names, if it is of the current folder.

    Its module is a file of the current folder or lies in a package there, and the folder of the
    package holds no run: so it came neither with Python, nor with an installed package, nor with
    the run. The same is true of the module that defines the callable, where that is another one.

    Raises:
        ForeignCode: It is not; nothing of it was run, but where the module is the user's.
        UnknownModel: There is nothing callable of this name in the module.
    """
    if not _is_own(_spec_here(module_name)):
        raise ForeignCode(what, f"{module_name}:{name}")
    named = import_object(module_name, name, what=what)
    defined_in = str(getattr(named, "__module__", ""))
    for package in {_package(module_name), _package(defined_in)}:
        spec, loaded = _spec_here(package), sys.modules.get(package)
        if not (_is_own(spec) and loaded and _same_place(loaded.__spec__, spec)):
            raise ForeignCode(what, f"{module_name}:{name}")
    return named


def _package(module_name: str) -> str:
    return module_name.partition(".")[0]


def _spec_here(module_name: str) -> ModuleSpec | None:
    """Return what the current folder has under the name of a module's package."""
    package = _package(module_name)
    return PathFinder.find_spec(package, [str(Path.cwd())]) if package.isidentifier() else None


def _is_own(spec: ModuleSpec | None) -> bool:
    """Tell whether a module was found in the current folder, in no package that came with a run."""
    if spec is None or spec.origin is None:  # of a folder that is no package there is no origin
        return False
    folder = Path(spec.origin).parent
    runs = ("run.json", "*/run.json", "*/*/run.json") if spec.submodule_search_locations else ()
    return not any(any(folder.glob(pattern)) for pattern in runs)


def _same_place(loaded: ModuleSpec | None, spec: ModuleSpec | None) -> bool:
    """Tell whether the module that Python has imported by this name is the one of this folder."""
    origins = [Path(place.origin).resolve() for place in (loaded, spec) if place and place.origin]
    return len(origins) == 2 and origins[0] == origins[1]

"""Import the user's own model factories and transforms: by the user's word, or by a run's.

The user may name any function there is. A run may come from somebody else, so the function that its
`run.json` names must be the user's own as far as can be told without importing anything.
"""

import importlib
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from errlens.errors import ForeignCode, UnknownModel
from errlens.model.networks.users_code import users_code


def import_object(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import the user's own callable, looking in the current folder too.

    Raises:
        UnknownModel: There is no such module, or nothing callable of this name in it.
        UserCodeFailed: The module raised something as it was imported.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with users_code(f"{module_name}.py, imported for the {what} {module_name}:{name},"):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise  # the user's module exists but lacks something itself
            raise UnknownModel(
                module_name, where=f"for the {what} {module_name}:{name}, Python"
            ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UnknownModel(name, vars(module), where=f"the {what} module {module_name}")
    imported: Callable[..., Any] = found
    return imported


def import_recorded(module_name: str, name: str, *, what: str) -> Callable[..., Any]:
    """Import a callable that a run names, if it is of the current folder.

    Its module is a file of the current folder or lies in a package there, and the folder of the
    package holds no run: so it came neither with Python, nor with an installed package, nor with
    the run. The same is true of the module that defines the callable, where that is another one.

    Raises:
        ForeignCode: It is not; nothing of it was run, but where the module is the user's own.
        UnknownModel: There is nothing callable of this name in the module.
    """
    if not _is_own(_spec_here(module_name)):
        raise ForeignCode(what, f"{module_name}:{name}")
    found = import_object(module_name, name, what=what)
    defined_in = str(getattr(found, "__module__", ""))
    for package in {_package(module_name), _package(defined_in)}:
        spec, loaded = _spec_here(package), sys.modules.get(package)
        if not (_is_own(spec) and loaded and _same_place(loaded.__spec__, spec)):
            raise ForeignCode(what, f"{module_name}:{name}")
    return found


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

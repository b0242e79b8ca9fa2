"""Options of a command from what Python gives."""

import os
from collections.abc import Iterator, Mapping, Set, ValuesView
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from errlens.commands.options.checked import (
    Problem,
    checked_model,
    first_problem,
    kinds_of,
    known_keys,
    metavar_of,
)
from errlens.errors import UnfitOption, did_you_mean, nearest, shortened

Options = TypeVar("Options")

_WANTED: Final[Mapping[Any, str]] = {
    Path: "a path, such as 'folder/file',",
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    tuple: "three numbers, such as (0.5, 0.5, 0.5),",
    dict: "a mapping",
    Literal: "a text",
}
_SEVERAL: Final[Mapping[Any, str]] = {Path: "paths", str: "texts"}
# What pydantic says where a limit is not kept, or where there is only a choice of words.
_SAYS_MORE: Final = ("literal_error", "greater_than", "less_than", "finite_number")
_SHOWN_AS_THEY_ARE: Final = (bool, int, float, str)


def options_from(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """Make the options of a command of keyword arguments.

    Options are named as they are typed, with underscores. Paths may be strings, or runs, and may
    start with `~`; where a list is wanted, a single value stands for a list of one, and a mapping
    for a list of K=V. Numbers, arrays and columns of numpy and pandas are taken for what they hold.

    Raises:
        UnfitOption: There is no such option, or it cannot have this value.

    >>> from errlens.commands.misclassified.options import MisclassifiedOptions
    >>> options = options_from(MisclassifiedOptions, {"run": "runs/first", "select": "cat~dog"})
    >>> options.run.as_posix(), options.select
    ('runs/first', ['cat~dog'])
    """
    hints = get_type_hints(kind, include_extras=True)
    fields = _fields_by_spelling(hints)
    model = checked_model(kind, lists_of_one=True)
    values = {fields.get(name, name): plain(value) for name, value in given.items()}
    values = {
        name: _from_home(value) if _names_a_place(hints.get(name)) else value
        for name, value in values.items()
    }
    try:
        checked = model.model_validate(values)
    except ValidationError as error:
        problem = first_problem(error)
        name = problem.where[0]
        if not problem.is_unknown:
            spelling = next((word for word, field in fields.items() if field == name), name)
            raise UnfitOption(_what_is_wrong(spelling, hints[name], problem)) from None
        known = known_keys(model)
        raise UnfitOption(
            f"there is no option {shortened(name)!r}",
            hint=did_you_mean(nearest(name, known), f"options: {', '.join(known)}"),
        ) from None
    return kind(**checked.model_dump(by_alias=True, exclude_unset=True))


def plain(value: object) -> object:
    """Return a value without numpy, pandas and torch; a path, such as a run, as it is written.

    >>> import numpy as np
    >>> plain(np.int64(3)), plain(np.array([0.5, 1.0])), plain({"top1": np.float64(0.5)})
    (3, [0.5, 1.0], {'top1': 0.5})
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Set):
        return sorted(map(plain, value), key=str)
    if isinstance(value, list | tuple | range | Iterator | ValuesView):
        return [plain(item) for item in value]
    to_list = getattr(value, "tolist", None)  # of arrays and columns, and of single numbers
    return value if to_list is None else plain(to_list())


def path_from(name: str, value: object) -> Path:
    """Return an argument called `name` as a path.

    Raises:
        UnfitOption: It is none.
    """
    value = _from_home(plain(value))
    if not isinstance(value, str):
        raise UnfitOption(f"{name}: {_WANTED[Path]} is wanted, not {_described(value)}")
    return Path(value)


def _from_home(value: object) -> object:
    """Return a path, or those in a list, with a `~` at its start read as a shell reads it."""
    if isinstance(value, list):
        return [_from_home(item) for item in value]
    return os.path.expanduser(value) if isinstance(value, str) else value  # noqa: PTH111


def _names_a_place(hint: Any) -> bool:
    """Tell whether an option is a path, or may be one."""
    return "FILE" in metavar_of(hint) or not {Path, list[Path]}.isdisjoint(kinds_of(hint))


def _what_is_wrong(name: str, hint: Any, problem: Problem) -> str:
    """Say what an option takes, and what it was given."""
    *_, last = problem.where[1:] or ("",)
    inner = last if last.isdecimal() or len(problem.where) > 2 else ""
    where = f"{name}[{inner}]" if inner else name
    if problem.kind.startswith(_SAYS_MORE):
        return f"{where}: {shortened(problem.what, most=300).replace('Input should', 'it should')}"
    choices = [choice for choice in kinds_of(hint) if choice is not NoneType]
    if inner:  # the list is fine, but for one value in it
        choices = [part for choice in choices for part in get_args(choice)] or choices
    elif get_origin(choices[0]) is list:
        choices = [*get_args(choices[0]), *choices]
    wanted = " or ".join(dict.fromkeys(map(_in_words, choices)))
    if problem.kind == "missing":
        return f"{where}: {wanted} is wanted"
    return f"{where}: {wanted} is wanted, not {_described(problem.value)}"


def _in_words(kind: Any) -> str:
    """Return what a kind of value is called.

    >>> _in_words(list[str]), _in_words(float)
    ('a list of texts', 'a number')
    """
    origin = get_origin(kind) or kind
    return f"a list of {_SEVERAL[get_args(kind)[0]]}" if origin is list else _WANTED[origin]


def _described(value: object) -> str:
    """Return a value, or its kind where it is long."""
    if value is None or isinstance(value, _SHOWN_AS_THEY_ARE):
        return shortened(repr(value))
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _fields_by_spelling(hints: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that are typed otherwise than they are called: `into`, which is `--out`."""
    from errlens.commands.options.shell import long_names  # typer: not to open a run

    return {
        word.removeprefix("--").replace("-", "_"): name
        for name, hint in hints.items()
        for note in getattr(hint, "__metadata__", ())
        for word in long_names(note)
    }

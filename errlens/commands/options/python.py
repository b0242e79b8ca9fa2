"""Options of a command from what Python gives."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from pydantic import ValidationError

from errlens.commands.options.checked import checked_model, first_problem, known_keys
from errlens.commands.options.shell import long_names
from errlens.errors import UnfitOption, did_you_mean, nearest, shortened

Options = TypeVar("Options")


def options_from(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """Make the options of a command of keyword arguments.

    Options are named as they are typed, with underscores. Paths may be strings, or runs; where a
    list is wanted, a single value stands for a list of one, and a mapping for a list of K=V.

    Raises:
        UnfitOption: There is no such option, or it cannot have this value.

    >>> from errlens.commands.misclassified.options import MisclassifiedOptions
    >>> options = options_from(MisclassifiedOptions, {"run": "runs/first", "select": "cat~dog"})
    >>> options.run.as_posix(), options.select
    ('runs/first', ['cat~dog'])
    """
    model = checked_model(kind, lists_of_one=True)
    fields = _fields_by_spelling(kind)
    try:
        checked = model.model_validate(
            {fields.get(name, name): _plain(given[name]) for name in given}
        )
    except ValidationError as error:
        problem = first_problem(error)
        name = ".".join(problem.where)
        if not problem.is_unknown:
            what = problem.what.replace("a valid tuple", "three numbers, such as (0.5, 0.5, 0.5)")
            raise UnfitOption(
                f"{name}: {shortened(what, most=300).replace('Input should', 'it should')}"
            ) from None
        known = known_keys(model)
        raise UnfitOption(
            f"there is no option {shortened(name)!r}",
            hint=did_you_mean(nearest(name, known), f"options: {', '.join(known)}"),
        ) from None
    return kind(**checked.model_dump(by_alias=True, exclude_unset=True))


def _plain(value: object) -> object:
    """Return paths of any kind, such as a run, as they are written."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _fields_by_spelling(kind: type[Any]) -> dict[str, str]:
    """Return the fields that are typed otherwise than they are called: `into`, which is `--out`."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        word.removeprefix("--").replace("-", "_"): name
        for name, hint in hints.items()
        for note in getattr(hint, "__metadata__", ())
        for word in long_names(note)
    }

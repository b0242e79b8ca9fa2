"""From an options class to a Typer command, and from options back to the command line."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from errlens.escapes import shell_line

Options = TypeVar("Options")


def as_callback(do: Callable[[Options], object], options: type[Options]) -> Callable[..., None]:
    """Make a Typer callback of a function of one options object: each field is an option.

    The docstring of the options class is the help.
    """

    def callback(**values: Any) -> None:
        do(options(**values))

    callback.__doc__ = options.__doc__
    callback.__signature__ = inspect.Signature(_parameters(options))  # type: ignore[attr-defined]
    return callback


def command_line(command: str, options: Any, *, without: tuple[type[Any], ...]) -> str:
    """Write the command that gives these options, leaving out those of the classes `without`.

    Options at their default are not written.
    """
    left_out = {field.name for kind in without for field in dataclasses.fields(kind)}
    words: list[str | PurePath] = ["errlens", *command.split()]
    for parameter in _parameters(type(options)):
        value = getattr(options, parameter.name)
        if value != parameter.default and parameter.name not in left_out:
            words += _words(parameter, value)
    return shell_line(words)


def _words(parameter: inspect.Parameter, value: Any) -> Iterator[str | PurePath]:
    """Yield what is typed for one option."""
    note = _note(parameter.annotation)
    if isinstance(note, ArgumentInfo):
        yield value if isinstance(value, PurePath) else str(value)
        return
    spellings = [word for word in getattr(note, "param_decls", None) or () if word[:2] == "--"]
    name = spellings[0] if spellings else f"--{parameter.name.replace('_', '-')}"
    for item in value if isinstance(value, list) else [value]:
        yield name
        if isinstance(item, tuple):
            yield from map(str, item)
        elif item is not True:
            yield str(item)


def _note(annotation: Any) -> ArgumentInfo | OptionInfo | None:
    """Return what Typer is told of a field, if that is anything."""
    notes = get_args(annotation) if get_origin(annotation) is Annotated else ()
    return next((note for note in notes if isinstance(note, ArgumentInfo | OptionInfo)), None)


def _parameters(options: type[Any]) -> list[inspect.Parameter]:
    """Return the fields of an options class as parameters, base by base in the order written."""
    hints = get_type_hints(options, include_extras=True)
    defaults = {
        field.name: inspect.Parameter.empty
        if field.default is dataclasses.MISSING
        else field.default
        for field in dataclasses.fields(options)
    }
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults[name],
            annotation=hints[name],
        )
        for name in dict.fromkeys(_written(options))
    ]


def _written(options: type[Any]) -> Iterator[str]:
    for base in options.__bases__:
        yield from _written(base)
    yield from inspect.get_annotations(options)

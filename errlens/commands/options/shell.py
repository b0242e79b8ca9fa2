"""From an options class to a Typer command, and from options back to the command line."""

import dataclasses
import inspect
from collections.abc import Callable, Container, Iterator
from copy import copy
from pathlib import Path, PurePath
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from errlens.commands.options.panels import Panel
from errlens.escapes import shell_line

Options = TypeVar("Options")


def as_callback(do: Callable[[Options], object], options: type[Options]) -> Callable[..., None]:
    """Make a Typer callback of a function of one options object: each field is an option.

    The docstring of the options class is the help, and its `PANEL` the heading of its options.
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


def fields_of(options: Any, group: type[Any]) -> list[str]:
    """Return the fields of a class of options, but those that `options` gives another meaning."""
    fields = {field.name: field for field in dataclasses.fields(options)}
    return [field.name for field in dataclasses.fields(group) if fields[field.name] is field]


def given_options(options: Any, *groups: type[Any], but: Container[str] = ()) -> list[str]:
    """Return the options of some classes that are not at their default, as they are typed."""
    return [
        f"--{field.name.replace('_', '-')}"
        for group in groups
        for field in dataclasses.fields(group)
        if field.name in fields_of(options, group)
        and field.name not in but
        and getattr(options, field.name) != field.default
    ]


def _words(parameter: inspect.Parameter, value: Any) -> Iterator[str | PurePath]:
    """Yield what is typed for one option."""
    note = _note(parameter.annotation)
    if isinstance(note, ArgumentInfo):
        yield value if isinstance(value, PurePath) else str(value)
        return
    name = next(long_names(note), f"--{parameter.name.replace('_', '-')}")
    if value is False:
        yield name.replace("--", "--no-", 1)
        return
    if isinstance(value, list | dict) and get_args(parameter.annotation)[0] == Path | None:
        value = note.metavar if note else name  # it was given without a file
    for item in value if isinstance(value, list) else [value]:
        yield name
        if isinstance(item, tuple):
            yield from map(str, item)
        elif item is not True:
            yield str(item)


def long_names(note: object) -> Iterator[str]:
    """Yield the names an option has been given, such as `--out`; none if they are its field's.

    Of one that is switched on and off, such as `--labels/--no-labels`, the first.
    """
    words = (getattr(note, "default", None), *(getattr(note, "param_decls", None) or ()))
    yield from (
        word.partition("/")[0] for word in words if isinstance(word, str) and word.startswith("--")
    )


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
            annotation=_below_heading(hints[name], panel),
        )
        for name, panel in dict(_written(options)).items()
    ]


def _written(options: type[Any]) -> Iterator[tuple[str, Panel | None]]:
    """Yield the fields of an options class and its bases, each with the `PANEL` of its class."""
    for base in options.__bases__:
        yield from _written(base)
    for name in inspect.get_annotations(options):
        yield name, vars(options).get("PANEL")


def _below_heading(annotation: Any, panel: Panel | None) -> Any:
    """Give an option the panel of its class, unless it names one itself."""
    note = _note(annotation)
    if not isinstance(note, OptionInfo):
        return annotation
    if note.rich_help_panel is None:
        note = copy(note)  # the same note may stand in several classes
        note.rich_help_panel = panel
    kind = get_args(annotation)[0]
    is_place = get_origin(kind) is UnionType and Path in get_args(kind)
    return Annotated[Path | None if is_place else kind, note]  # whatever else YAML may give

"""The options of a command as a model that checks what somebody gives: YAML or Python."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from numbers import Real
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from errlens.errors import did_you_mean, nearest


def checked_model(
    options: type[Any], *, skip: Collection[str] = (), lists_of_one: bool = False
) -> type[BaseModel]:
    """Return a strict model with the fields of an options class and their limits.

    Args:
        options: A dataclass.
        skip: Fields that nobody may set.
        lists_of_one: Whether a single value may stand for a list.
    """
    hints = get_type_hints(options, include_extras=True)
    # Under names of our own: an option may be called what a pydantic model has already, like copy.
    fields: dict[str, Any] = {
        f"option_{field.name}": (
            _checked(hints[field.name], lists_of_one=lists_of_one),
            Field(... if field.default is dataclasses.MISSING else field.default, alias=field.name),
        )
        for field in dataclasses.fields(options)
        if field.name not in skip
    }
    return create_model(options.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return what may be set."""
    return [str(field.alias) for field in model.model_fields.values()]


def as_written(
    options: type[Any], given: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Any]:
    """Return values read as YAML, but as they are written where an option is a text.

    Nobody has to quote a number, a yes or a date: what is typed in a shell is text as well.

    Args:
        options: A dataclass.
        given: Values by option, as YAML understands them.
        written: The same, every scalar as text.
    """
    hints = get_type_hints(options)
    return {
        name: _text_of(value, written[name])
        if _takes_text(hints.get(name)) and name in written
        else value
        for name, value in given.items()
    }


class Problem(NamedTuple):
    """What is wrong with a value, or with the key itself."""

    where: tuple[str, ...]
    what: str
    is_unknown: bool


def first_problem(error: ValidationError) -> Problem:
    """Return what to report: an unknown key first, as it often makes another one seem missing."""
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    where = tuple(str(step) for step in first["loc"])
    what = str(first["msg"])
    if first["type"] == "literal_error":
        words = re.findall("'([^']*)'", first["ctx"]["expected"])
        if near := nearest(str(first["input"]), words):
            what += f"; {did_you_mean(near)}"
    return Problem(where, what, first["type"] == "extra_forbidden")


def _checked(hint: Any, *, lists_of_one: bool) -> Any:
    """Carry the limits of a command-line option over to the model."""
    kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    limits = {
        limit: getattr(note, bound)
        for note in notes
        for bound, limit in (("min", "ge"), ("max", "le"))
        if getattr(note, bound, None) is not None
    }
    checks: list[Any] = [Field(**limits)] if limits else []
    if kind == list[str] | None:
        checks.append(BeforeValidator(_as_assignments))
    if _takes_text(kind):
        checks.append(BeforeValidator(_numbers_as_text))
    if lists_of_one and any(get_origin(choice) is list for choice in (kind, *get_args(kind))):
        checks.append(BeforeValidator(_as_list))
    return Annotated[kind, *checks] if checks else kind


def _as_assignments(value: object) -> object:
    """Let a mapping stand for a list of K=V."""
    if isinstance(value, Mapping):
        return [f"{key}={inner!r}" for key, inner in value.items()]
    return value


def _as_list(value: object) -> object:
    """Let one value stand for a list of one."""
    return [value] if isinstance(value, str | Path) or _is_number(value) else value


def _takes_text(kind: Any) -> bool:
    """Tell whether an option is a text, a path or a word among several, or a list of these."""
    if get_origin(kind) in (Union, UnionType, list):
        choices = [choice for choice in get_args(kind) if choice is not type(None)]
        return all(map(_takes_text, choices))
    if get_origin(kind) is Literal:
        return all(isinstance(choice, str) for choice in get_args(kind))
    return kind in (str, Path)


def _text_of(value: object, written: object) -> object:
    """Return the text of a number, a yes or a date, also of each in a list."""
    if isinstance(value, list) and isinstance(written, list):
        return [_text_of(*both) for both in zip(value, written, strict=True)]
    return value if value is None or isinstance(value, dict | list) else written


def _numbers_as_text(value: object) -> object:
    """Let a number stand for its text."""
    if isinstance(value, list):
        return [_numbers_as_text(item) for item in value]
    return str(value) if _is_number(value) else value


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

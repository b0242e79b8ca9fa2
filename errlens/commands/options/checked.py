"""The options of a command as a model that checks what somebody gives: YAML or Python."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

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
    return [value] if isinstance(value, str | Path) else value

"""The options of a command as a model that checks what somebody gives: YAML or Python."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from numbers import Real
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

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
    """What is wrong with a value, or with the key itself: `kind` is pydantic's word for it."""

    where: tuple[str, ...]
    what: str
    kind: str
    value: object

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such key."""
        return self.kind == "extra_forbidden"


def first_problem(error: ValidationError) -> Problem:
    """Return what to report: an unknown key first, as it often makes another one seem missing.

    Where a value may be of several kinds, the one that it is nearest to says most.
    """

    def key(problem: ErrorDetails) -> tuple[bool, int]:
        return problem["type"] != "extra_forbidden", -len(problem["loc"])

    first = min(error.errors(), key=key)
    where = tuple(str(step) for step in first["loc"])
    what = str(first["msg"])
    if first["type"] == "literal_error":
        words = re.findall("'([^']*)'", first["ctx"]["expected"])
        if near := nearest(str(first["input"]), words):
            what += f"; {did_you_mean(near)}"
    return Problem(where, what, first["type"], first["input"])


def _checked(hint: Any, *, lists_of_one: bool) -> Any:
    """Carry the limits of a command-line option over to the model."""
    kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    limits = {
        limit: getattr(note, bound)
        for note in notes
        for bound, limit in (("min", "ge"), ("max", "le"))
        if getattr(note, bound, None) is not None
    }
    checks: list[Any] = [Field(**limits)] if limits else []  # the last one is the first to run
    choices = kinds_of(kind)
    takes_lists = any(get_origin(choice) is list for choice in choices)
    metavar = metavar_of(hint)
    if _takes_text(kind):
        if "," in metavar and not takes_lists:
            checks.append(BeforeValidator(_with_commas))
        checks.append(BeforeValidator(_numbers_as_text))
    if int in choices or float in choices:
        checks.append(BeforeValidator(_no_truth))
    if lists_of_one and takes_lists and Path not in choices:
        checks.append(BeforeValidator(_as_list))
    if "=" in metavar:
        checks.append(BeforeValidator(_as_python if metavar == "K=V" else _as_assignments))
    return Annotated[kind, *checks] if checks else kind


def kinds_of(hint: Any) -> tuple[Any, ...]:
    """Return the kinds of value that an option may have.

    >>> kinds_of(Path | None), kinds_of(list[int])
    ((<class 'pathlib.Path'>, <class 'NoneType'>), (list[int],))
    """
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def metavar_of(hint: Any) -> str:
    """Return what stands in the help for the value of an option: `FILE`, `METRIC=X`."""
    notes = getattr(hint, "__metadata__", ())
    return next((str(note.metavar) for note in notes if getattr(note, "metavar", None)), "")


def _as_assignments(value: object) -> object:
    """Let a mapping stand for a list of METRIC=X."""
    if isinstance(value, Mapping):
        return [f"{key}={inner}" for key, inner in value.items()]
    return value


def _as_python(value: object) -> object:
    """Let a mapping stand for a list of K=V, where V is read as Python: a text has quotes."""
    if isinstance(value, Mapping):
        return [f"{key}={inner!r}" for key, inner in value.items()]
    return value


def _no_truth(value: object) -> object:
    """Refuse True and False where a number is wanted: for Python they are 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


def _as_list(value: object) -> object:
    """Let one value stand for a list of one."""
    return value if value is None or isinstance(value, list | Mapping) else [value]


def _takes_text(kind: Any) -> bool:
    """Tell whether an option is a text, a path or a word among several, or a list of these."""
    if get_origin(kind) in (Union, UnionType, list, dict):
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
    if isinstance(value, dict):
        return {_numbers_as_text(key): _numbers_as_text(inner) for key, inner in value.items()}
    return str(value) if _is_number(value) else value


def _with_commas(value: object) -> object:
    """Let a list of texts stand for one text with commas between them."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

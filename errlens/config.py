"""One YAML file for a chain of commands, checked against the options of those commands."""

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from errlens.errors import BadConfig, MissingInput, nearest

Options = TypeVar("Options")

# Where each key of the file stands, by its path: ("evaluate", "data") -> line.
_Lines = dict[tuple[str, ...], int]


class Config(NamedTuple):
    """What a configuration asks for: a run folder, and options for each command it names."""

    out: Path
    blocks: dict[str, Any]


def read_config(
    path: Path,
    commands: Mapping[str, type[Any]],
    *,
    overrides: Sequence[str] = (),
    outside_blocks: Collection[str] = (),
) -> Config:
    """Read a configuration and make the options of each block.

    Args:
        path: The YAML file. Relative paths in it start at its folder.
        commands: The options class (a dataclass) of each command a block may name.
        overrides: Settings like `evaluate.batch_size=64` that win over the file.
        outside_blocks: Options that no block may set, because the whole configuration does.

    Raises:
        MissingInput: There is no such file.
        BadConfig: It is not YAML, or a key or value is not one of the command's options.
    """
    if not path.is_file():
        raise MissingInput(path, what="configuration")
    tree, lines = _parse(path)
    for setting in overrides:
        _override(tree, setting)
    unknown = next((key for key in tree if key not in {"out", *commands}), None)
    if unknown is not None:
        raise _unknown_key(path, (unknown,), lines, ["out", *commands])
    if not isinstance(tree.get("out"), str):
        raise BadConfig(f"{path}: 'out' must name the run folder")
    blocks = {
        name: _make_options(options, tree[name], (path, name, lines), skip=outside_blocks)
        for name, options in commands.items()
        if name in tree
    }
    return Config(_below(path.parent, Path(tree["out"])), blocks)


def _parse(path: Path) -> tuple[dict[str, Any], _Lines]:
    try:
        text = path.read_text(encoding="utf-8")
        tree, root = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise BadConfig(f"{path} must be a mapping with 'out' and a block for each command")
    return tree, _line_numbers(root)


def _line_numbers(node: yaml.Node | None, above: tuple[str, ...] = ()) -> _Lines:
    lines: _Lines = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*above, str(key.value))
            lines[here] = key.start_mark.line + 1
            lines |= _line_numbers(value, here)
    return lines


def _override(tree: dict[str, Any], setting: str) -> None:
    """Put a `block.key=value` into the tree; the value is read as YAML."""
    key, equals, text = setting.partition("=")
    *above, last = key.split(".")
    if not equals or not last:
        raise BadConfig(f"--set {setting!r} is not of the form block.key=value")
    for name in above:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise BadConfig(f"--set {setting!r}: {name!r} holds a value, not settings")
    tree[last] = yaml.safe_load(text)


def _make_options(
    options: type[Options],
    block: object,
    where: tuple[Path, str, _Lines],
    *,
    skip: Collection[str],
) -> Options:
    """Check a block and make the options from it."""
    path, name, lines = where
    if block is not None and not isinstance(block, dict):
        raise BadConfig(f"{_place(path, (name,), lines)}: {name!r} must hold settings")
    model = _block_model(options, skip=skip)
    try:
        checked = model.model_validate(block or {})
    except ValidationError as error:
        # A misspelt key often makes another one seem missing: tell of the spelling.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        key = (name, *(str(step) for step in first["loc"]))
        if first["type"] == "extra_forbidden":
            raise _unknown_key(path, key, lines, model.model_fields) from error
        raise BadConfig(f"{_place(path, key, lines)}: {'.'.join(key)}: {first['msg']}") from error
    values = {key: getattr(checked, key) for key in checked.model_fields_set}
    return options(**{key: _from_folder(value, path.parent) for key, value in values.items()})


def _block_model(options: type[Any], *, skip: Collection[str]) -> type[BaseModel]:
    """Return a strict model with the fields of an options class."""
    hints = get_type_hints(options, include_extras=True)
    fields: dict[str, Any] = {
        field.name: (
            _checked(hints[field.name]),
            ... if field.default is dataclasses.MISSING else field.default,
        )
        for field in dataclasses.fields(options)
        if field.name not in skip
    }
    return create_model(
        options.__name__, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields
    )


def _checked(hint: Any) -> Any:
    """Carry the limits of a command-line option over to the model."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *notes = get_args(hint)
    limits = {
        limit: getattr(note, bound)
        for note in notes
        for bound, limit in (("min", "ge"), ("max", "le"))
        if getattr(note, bound, None) is not None
    }
    checks: list[Any] = [Field(**limits)] if limits else []
    if kind == list[str] | None:
        checks.append(BeforeValidator(_as_assignments))
    return Annotated[kind, *checks] if checks else kind


def _as_assignments(value: object) -> object:
    """Let a mapping stand for a list of K=V."""
    if isinstance(value, Mapping):
        return [f"{key}={inner!r}" for key, inner in value.items()]
    return value


def _from_folder(value: object, folder: Path) -> object:
    return _below(folder, value) if isinstance(value, Path) else value


def _below(folder: Path, path: Path) -> Path:
    return Path(os.path.normpath(folder / path.expanduser()))


def _unknown_key(
    path: Path, key: tuple[str, ...], lines: _Lines, known: Collection[str]
) -> BadConfig:
    near = nearest(key[-1], known)
    return BadConfig(
        f"{_place(path, key, lines)}: unknown key {'.'.join(key)!r}",
        hint=f"did you mean {', '.join(near)}?" if near else f"known keys: {', '.join(known)}",
    )


def _place(path: Path, key: tuple[str, ...], lines: _Lines) -> str:
    """Return file and line of a key, or of what encloses it; `--set` has no line."""
    while key and key not in lines:
        key = key[:-1]
    return f"{path}:{lines[key]}" if key else str(path)

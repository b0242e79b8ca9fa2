"""One YAML file for a chain of commands, checked against the options of those commands."""

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError

from errlens.commands.options.checked import (
    as_written,
    checked_model,
    first_problem,
    known_keys,
)
from errlens.documents import MOST_LEVELS, BadDocument, parse_yaml, parse_yaml_lines, read_text
from errlens.errors import BadConfig, MissingInput, did_you_mean, nearest, shortened
from errlens.run.places import data_set_name

Options = TypeVar("Options")

# Where each key stands, by its path: ("evaluate", "data") -> file and line, or the `--set`.
_Places = dict[tuple[str, ...], str]


class _Text(NamedTuple):
    """A configuration as it is read: its values, each scalar of it as text, and where keys stand.

    What overrides it is part of it. What is merged in by `<<` is there as a value only.
    """

    tree: dict[str, Any]
    written: dict[str, Any]
    places: _Places


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
    text = _parse(path)
    for setting in overrides:
        text.places[_override(text, setting)] = f"--set {setting}"
    tree, written, places = text
    unknown = [key for key in tree if key not in {"out", *commands}]
    if unknown:
        raise _unknown_key(path, (str(unknown[0]),), places, ["out", *commands])
    out = None if tree.get("out") is None else written.get("out", tree["out"])
    if not isinstance(out, str):
        raise BadConfig(f"{path}: 'out' must name the run folder")
    blocks = {
        name: _make_options(options, text, (path, name), skip=outside_blocks)
        for name, options in commands.items()
        if name in tree
    }
    return Config(_below(path.parent, Path(out)), blocks)


def config_text(config: Config, *, outside_blocks: Collection[str] = ()) -> str:
    """Write a configuration out as YAML: every option, paths from the root of the disk.

    It can be read again, from anywhere. A block without a run folder of its own goes on without.

    Args:
        config: What was read.
        outside_blocks: Options that no block may set.
    """
    tree: dict[str, Any] = {"out": _plain(config.out)}
    for name, block in config.blocks.items():
        options = {field.name: getattr(block, field.name) for field in dataclasses.fields(block)}
        tree[name] = {
            key: _plain(value)
            for key, value in options.items()
            if key not in {"out", *outside_blocks} and (key, value) != ("run", None)
        }
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
    return text


def _plain(value: object) -> object:
    """Return a value as YAML has it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value if data_set_name(value) is not None else value.absolute())
    return value


def _parse(path: Path) -> _Text:
    try:
        text = read_text(path)
        tree, lines = parse_yaml_lines(text)
        written = parse_yaml(text, untyped=True)
    except BadDocument as error:
        raise BadConfig(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(tree, dict):
        raise BadConfig(f"{path} must be a mapping with 'out' and a block for each command")
    return _Text(tree, written, {key: f"{path}:{line}" for key, line in lines.items()})


def _override(config: _Text, setting: str) -> tuple[str, ...]:
    """Put a `block.key=value` into what was read, the value read as YAML; return its path."""
    key, equals, text = setting.partition("=")
    *above, last = key.split(".")
    if not equals or not last or len(above) > MOST_LEVELS:
        raise BadConfig(f"--set {shortened(setting)!r} is not of the form block.key=value")
    try:
        value, written = parse_yaml(text), parse_yaml(text, untyped=True)
    except BadDocument as error:
        raise BadConfig(f"--set {key}: the value cannot be read as YAML: {error}") from error
    tree, texts = config.tree, config.written
    for name in above:
        if tree.get(name) is None:  # absent, or an empty block
            tree[name], texts[name] = {}, {}
        tree, texts = tree[name], texts.get(name, {})  # a merged block is written elsewhere
        if not isinstance(tree, dict):
            raise BadConfig(f"--set {key}: {name!r} holds a value, not settings")
    tree[last], texts[last] = value, written
    return (*above, last)


def _make_options(
    options: type[Options], text: _Text, where: tuple[Path, str], *, skip: Collection[str]
) -> Options:
    """Check a block and make the options from it."""
    (path, name), places = where, text.places
    block = text.tree[name]
    if block is not None and not isinstance(block, dict):
        raise BadConfig(f"{_place(path, (name,), places)}: {name!r} must hold settings")
    model = checked_model(options, skip=skip)
    given = as_written(options, block, text.written.get(name, {})) if block else {}
    try:
        checked = model.model_validate(given)
    except ValidationError as error:
        problem = first_problem(error)
        key = (name, *problem.where)
        if problem.is_unknown:
            raise _unknown_key(path, key, places, known_keys(model)) from error
        reason = f"{shortened('.'.join(key))}: {shortened(problem.what, most=300)}"
        raise BadConfig(f"{_place(path, key, places)}: {reason}") from error
    values = checked.model_dump(by_alias=True, exclude_unset=True)
    return options(**{key: _from_folder(value, path.parent) for key, value in values.items()})


def _from_folder(value: object, folder: Path) -> object:
    if isinstance(value, Path) and data_set_name(value) is None:
        return _below(folder, value)
    if isinstance(value, list):
        return [_from_folder(item, folder) for item in value]
    return value


def _below(folder: Path, path: Path) -> Path:
    return Path(os.path.normpath(folder / os.path.expanduser(path)))  # noqa: PTH111 - as a shell does it


def _unknown_key(
    path: Path, key: tuple[str, ...], places: _Places, known: Collection[str]
) -> BadConfig:
    near = nearest(key[-1], known)
    return BadConfig(
        f"{_place(path, key, places)}: unknown key {shortened('.'.join(key))!r}",
        hint=did_you_mean(near, f"known keys: {', '.join(known)}"),
    )


def _place(path: Path, key: tuple[str, ...], places: _Places) -> str:
    """Return where a key stands, or what encloses it."""
    while key and key not in places:
        key = key[:-1]
    return places.get(key, str(path))

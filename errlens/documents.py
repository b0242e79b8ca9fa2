"""Read the JSON and YAML that people hand in, however they were made.

Such a file may come from anywhere, and may be made to fill the memory of whoever reads it: ten
levels of aliases that mean 10**10 values, brackets 100,000 deep, a number of a million digits. What
comes out of here is a tree of limited size and depth, of finite numbers that fit 64 bits and of
text that can be written as UTF-8. A reason for refusing one never repeats a whole value of it.
"""

import json
import math
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.parser import Parser

from errlens.errors import shortened

MOST_BYTES: Final = 64 * 2**20
MOST_JSON_VALUES: Final = 4_000_000
MOST_YAML_CHARACTERS: Final = 4 * 2**20
MOST_YAML_VALUES: Final = 200_000
MOST_LEVELS: Final = 50
_LONGEST_NUMBER: Final = 400  # characters; PyYAML takes long for 1:59:59:59 with many more
_PLAIN_TAGS: Final = (
    "null", "bool", "int", "float", "timestamp", "str", "seq", "map", "merge", "value",
)  # fmt: skip
# What PyYAML raises on YAML that it does not foresee, such as a date in month 13.
_YAML_FAILURES: Final = (
    yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
)  # fmt: skip

# The line of each key, counted from 1, by its path from the top, as ("evaluate", "data").
Lines = Mapping[tuple[str, ...], int]


class BadDocument(ValueError):
    """A text is not the JSON or YAML it should be, or larger than anything of its kind."""


def read_text(path: Path, *, encoding: str = "utf-8", most_bytes: int = MOST_BYTES) -> str:
    """Return the text of an ordinary file.

    Raises:
        BadDocument: It cannot be read, is too large, or is no text.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadDocument("it is no ordinary file")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)  # some files do not tell their size
    except OSError as error:
        raise BadDocument(f"it cannot be read ({error.strerror})") from error
    if len(content) > most_bytes:
        raise BadDocument(f"it has more than {most_bytes // 2**20} MiB")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadDocument(f"it is no text in UTF-8 ({error.reason} {error.start})") from error


def parse_json(text: str) -> Any:
    """Return what a JSON text holds.

    >>> parse_json('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}

    Raises:
        BadDocument: It is no JSON, or beyond the limits of this module.
    """
    if len(text) > MOST_BYTES:
        raise BadDocument(f"it has more than {MOST_BYTES // 2**20} MiB")
    if sum(text.count(mark) for mark in "[{,") > MOST_JSON_VALUES:
        raise BadDocument(f"it has more than {MOST_JSON_VALUES:,} values")
    try:
        tree = json.loads(
            text, parse_int=_whole_number, parse_float=_finite, parse_constant=_finite
        )
    except RecursionError:
        raise BadDocument(f"it is nested more than {MOST_LEVELS} levels deep") from None
    except BadDocument:
        raise
    except ValueError as error:
        raise BadDocument(shortened(str(error))) from error
    _check_tree(tree)
    return tree


def parse_yaml(text: str, *, untyped: bool = False) -> Any:
    """Return what a YAML text holds.

    >>> parse_yaml("a: [1, no]"), parse_yaml("a: [1, no]", untyped=True)
    ({'a': [1, False]}, {'a': ['1', 'no']})

    Args:
        text: One document. It may use aliases, but no tags such as `!!set` or `!!binary`.
        untyped: Take every scalar for text: a class may be called no, null or 007.

    Raises:
        BadDocument: It is no YAML, names a key twice, or is beyond the limits of this module.
    """
    return _load_yaml(text, _UntypedLoader if untyped else _TypedLoader)[0]


def parse_yaml_lines(text: str) -> tuple[Any, Lines]:
    """Return what a YAML text holds, as `parse_yaml`, and the lines where its keys stand."""
    return _load_yaml(text, _TypedLoader)


def _load_yaml(text: str, kind: "type[_TypedLoader | _UntypedLoader]") -> tuple[Any, Lines]:
    if len(text) > MOST_YAML_CHARACTERS:
        raise BadDocument(f"it has more than {MOST_YAML_CHARACTERS:,} characters")
    try:
        loader = kind(text)
        root = loader.get_single_node()
        if root is None:
            return None, {}
        lines = dict(_lines_of_keys(root, ()))  # first: merging `<<` moves keys
        return loader.construct_document(root), lines
    except BadDocument:
        raise
    except _YAML_FAILURES as error:
        raise BadDocument(shortened(" ".join(str(error).split()), most=300)) from error


class _Size(NamedTuple):
    """What a part of a YAML document comes to when its aliases are written out."""

    values: int
    characters: int
    levels: int


class _Measuring(Parser, Composer):
    """Measures each node when it is composed, so that a bomb is refused before it is built."""

    _level = 0

    @cached_property
    def _sizes(self) -> dict[yaml.Node, _Size]:
        return {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node, or return the one that an alias stands for."""
        if self._level == MOST_LEVELS:
            raise BadDocument(f"it is nested more than {MOST_LEVELS} levels deep")
        if len(self._sizes) == MOST_YAML_VALUES:
            raise BadDocument(f"it has more than {MOST_YAML_VALUES:,} values")
        is_alias = self.check_event(yaml.AliasEvent)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        if node is not None and not is_alias:
            self._sizes[node] = self._measured(node)
        elif node not in self._sizes:
            raise BadDocument("it has an alias for what it is itself a part of")
        return node

    def _measured(self, node: yaml.Node) -> _Size:
        """Return the size of a node whose parts are measured."""
        if isinstance(node, yaml.ScalarNode):
            _check_text(node.value)
            return _Size(1, len(node.value), 1)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        parts = [self._sizes[part] for part in _parts(node)]
        size = _Size(
            1 + sum(part.values for part in parts),
            sum(part.characters for part in parts),
            1 + max((part.levels for part in parts), default=0),
        )
        limits = _Size(MOST_YAML_VALUES, MOST_YAML_CHARACTERS, MOST_LEVELS)
        for kind, count, most in zip(size._fields, size, limits, strict=True):
            if count > most:
                raise BadDocument(f"with its aliases written out it has more than {most:,} {kind}")
        return size


class _TypedLoader(_Measuring, yaml.SafeLoader):
    """Makes plain values: None, booleans, numbers, dates, texts, lists and mappings."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node if its tag makes a plain value of it."""
        node = super().compose_node(parent, index)
        if node is not None and node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
            raise BadDocument(f"it uses the tag {shortened(node.tag)}")
        return node


class _UntypedLoader(_Measuring, yaml.BaseLoader):
    """Takes every scalar for text, whatever its tag."""


def _construct_int(loader: _TypedLoader, node: yaml.ScalarNode) -> int:
    _check_length(node.value)
    return _in_64_bits(loader.construct_yaml_int(node))


def _construct_float(loader: _TypedLoader, node: yaml.ScalarNode) -> float:
    _check_length(node.value)
    return _finite(loader.construct_yaml_float(node))


_TypedLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_TypedLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the nodes right below a node, keys of a mapping as well as values."""
    for part in node.value:
        yield from part if isinstance(node, yaml.MappingNode) else [part]


def _lines_of_keys(
    node: yaml.Node, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield path and line of each key in mappings of mappings."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*above, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines_of_keys(value, here)


def _check_keys(node: yaml.MappingNode) -> None:
    """Refuse a key that stands twice: PyYAML would let the second win in silence."""
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 1
        if (key.tag, key.value) in lines:
            before = lines[key.tag, key.value]
            raise BadDocument(
                f"the key {shortened(repr(key.value))} of line {before} stands again in line {line}"
            )
        lines[key.tag, key.value] = line


def _check_tree(tree: Any) -> None:
    """Refuse a tree of JSON that is nested too deep or has text that cannot be written."""
    level = [tree]
    for _ in range(MOST_LEVELS):
        for value in level:
            if isinstance(value, str):
                _check_text(value)
        level = [
            part
            for value in level
            if isinstance(value, list | dict)
            for part in (value if isinstance(value, list) else (*value, *value.values()))
        ]
        if not level:
            return
    raise BadDocument(f"it is nested more than {MOST_LEVELS} levels deep")


def _check_text(text: str) -> None:
    """Refuse half of a surrogate pair: both formats can spell it, and no file can hold it."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadDocument(f"UTF-8 cannot hold the text {shortened(repr(text))}")


def _check_length(number: str) -> None:
    if len(number) > _LONGEST_NUMBER:
        raise BadDocument(f"the number {shortened(number)} has {len(number):,} characters")


def _whole_number(digits: str) -> int:
    _check_length(digits)
    return _in_64_bits(int(digits))


def _in_64_bits(number: int) -> int:
    if not -(2**63) <= number < 2**64:
        raise BadDocument(f"the number {shortened(str(number))} does not fit 64 bits")
    return number


def _finite(number: str | float) -> float:
    """Return a finite number; JSON's writers say NaN and Infinity, though JSON has neither."""
    value = float(number)
    if not math.isfinite(value):
        raise BadDocument(f"{shortened(str(number))} is no finite number")
    return value

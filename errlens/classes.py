"""Class names in output order: the only place where index and name are exchanged."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from errlens.errors import BadClassFile, MissingInput, nearest, some


@dataclass(frozen=True)
class ClassNames:
    """The names of a model's outputs, first output first.

    `aliases` holds other names that data may use, such as an ImageNet synset id, each with the
    classes it may mean. `source` says where the names come from, for messages.

    Data may differ from a name in case and in space, `_` and `-`, where that leaves one reading.

    >>> classes = ClassNames(("grey cat", "dog"), aliases={"n02084071": (1,), "animal": (0, 1)})
    >>> [classes.index(label) for label in ("dog", "Grey_Cat", "n02084071", "cow", "animal")]
    [1, 0, 1, None, None]
    """

    names: tuple[str, ...]
    aliases: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    source: str = "the list"

    def __post_init__(self) -> None:
        repeated = [name for name, count in Counter(self.names).items() if count > 1]
        if repeated:
            raise BadClassFile(
                f"class names must be unique, but {some(repeated)} from {self.source} repeat"
            )
        if not self.names:
            raise BadClassFile(f"{self.source} names no class")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> str:
        return self.names[index]

    def index(self, label: str) -> int | None:
        """Return the output a label stands for, or None if it names no class or several."""
        meant = self.meant(label)
        return meant[0] if len(meant) == 1 else None

    def meant(self, label: str) -> tuple[int, ...]:
        """Return the outputs a label may stand for: as it is spelt, else as it is folded."""
        return self._exact.get(label) or self._folded.get(folded(label), ())

    def unknown(self, labels: Iterable[str]) -> list[str]:
        """Return the labels that name no class, sorted."""
        return sorted(label for label in set(labels) if not self.meant(label))

    def ambiguous(self, labels: Iterable[str]) -> dict[str, list[str]]:
        """Return the labels that may name several classes, with their names."""
        meant = {label: self.meant(label) for label in sorted(set(labels))}
        return {
            label: [self.names[index] for index in indices]
            for label, indices in meant.items()
            if len(indices) > 1
        }

    @cached_property
    def _exact(self) -> dict[str, tuple[int, ...]]:
        return {**self.aliases, **{name: (index,) for index, name in enumerate(self.names)}}

    @cached_property
    def _folded(self) -> dict[str, tuple[int, ...]]:
        meant: dict[str, set[int]] = {}
        for spelling, indices in self._exact.items():
            meant.setdefault(folded(spelling), set()).update(indices)
        return {spelling: tuple(sorted(indices)) for spelling, indices in meant.items()}


@dataclass(frozen=True)
class Superclasses:
    """Which superclass each class belongs to; classes may have none.

    `names` are sorted; `of_class` holds, for each output, an index into them or None.
    """

    names: tuple[str, ...]
    of_class: tuple[int | None, ...]

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, str], classes: ClassNames, *, source: str
    ) -> "Superclasses":
        """Give each class the superclass that the mapping has for it.

        Raises:
            BadClassFile: The mapping names a class the model does not have, or names none.
        """
        invented = classes.unknown(mapping)
        if invented:
            near = nearest(invented[0], classes.names)
            raise BadClassFile(
                f"{source} gives a superclass to {some(invented)}, no class of the model",
                hint=f"did you mean {', '.join(near)}?" if near else "",
            )
        if ambiguous := classes.ambiguous(mapping):
            label, meant = next(iter(ambiguous.items()))
            raise BadClassFile(f"{source}: {label!r} may be any of {some(meant)}")
        if not mapping:
            raise BadClassFile(f"{source} gives no class a superclass")
        names = tuple(sorted(set(mapping.values())))
        by_index = {classes.index(name): names.index(parent) for name, parent in mapping.items()}
        return cls(names, tuple(by_index.get(index) for index in range(len(classes))))

    def name_of(self, class_index: int) -> str | None:
        """Return the name of a class's superclass, or None if it has none."""
        parent = self.of_class[class_index]
        return None if parent is None else self.names[parent]

    def as_mapping(self, classes: ClassNames) -> dict[str, str]:
        """Return the superclass of each class that has one, by name."""
        parents = ((name, self.name_of(index)) for index, name in enumerate(classes.names))
        return {name: parent for name, parent in parents if parent is not None}


def folded(name: str) -> str:
    """Return what is left of a name without case and with space, `_` and `-` alike.

    >>> folded("British_Shorthair") == folded("british-shorthair")
    True
    """
    # A Mac keeps the letters and accents of a folder's name apart.
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", name).casefold())


def read_classes(path: Path) -> ClassNames:
    """Read class names in output order from a txt, json, yaml or csv file.

    Text: one name a line. JSON and YAML: a list, or a mapping between names and indices in either
    direction, alone or as the `id2label` of a Hugging Face configuration. CSV: a column
    `class_name`, ordered by a column `class_index` where there is one, or a single column without
    a header.

    Raises:
        MissingInput: There is no such file.
        BadClassFile: It is none of these.
    """
    if not path.is_file():
        raise MissingInput(path, what="class file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadClassFile(f"class file {str(path)!r} is none of {', '.join(_READERS)}")
    try:
        names = reader(path.read_text(encoding="utf-8-sig"))
    except (ValueError, csv.Error, yaml.YAMLError) as error:
        raise BadClassFile(f"class file {str(path)!r}: {error}") from error
    return ClassNames(tuple(names), source=f"the file {path.name}")


def read_superclasses(path: Path, classes: ClassNames) -> Superclasses:
    """Read a csv file with the columns `class_name,superclass`.

    Raises:
        MissingInput: There is no such file.
        BadClassFile: A column is missing, a class is listed twice, or a class does not exist.
    """
    if not path.is_file():
        raise MissingInput(path, what="superclass file")
    try:
        header, table = _csv_rows(path.read_text(encoding="utf-8-sig"))
    except (ValueError, csv.Error) as error:
        raise BadClassFile(f"superclass file {str(path)!r}: {error}") from error
    missing = {"class_name", "superclass"} - set(header)
    if missing:
        raise BadClassFile(f"superclass file {str(path)!r} has no column {some(sorted(missing))}")
    name_at, parent_at = header.index("class_name"), header.index("superclass")
    rows = [(row[name_at], row[parent_at]) for row in table if row[parent_at]]
    # A class may be listed by its name and again by an alias: then it is listed twice.
    spellings = Counter(classes.index(name) for name, _ in rows)
    repeated = [name for name, _ in rows if spellings[classes.index(name)] > 1]
    if repeated and not classes.unknown(repeated):
        raise BadClassFile(f"superclass file {str(path)!r} lists {some(repeated)} more than once")
    return Superclasses.from_mapping(dict(rows), classes, source=f"the file {path.name}")


def _csv_rows(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table in which no row is shorter than the header."""
    header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    short = [number for number, row in enumerate(rows, start=2) if len(row) < len(header)]
    if short:
        raise ValueError(f"row {short[0]} has fewer values than the header")
    return header, rows


def _names_from_text(text: str) -> list[str]:
    names = [line.strip() for line in text.rstrip().splitlines()]
    if "" in names:
        raise ValueError(f"line {names.index('') + 1} is empty")
    return names


def _names_from_yaml(text: str) -> list[str]:
    # Read without types: a class may be called no, null or 007.
    return _names_from_tree(_numbered(yaml.load(text, yaml.BaseLoader)))  # noqa: S506 - text only


def _numbered(tree: object) -> object:
    """Turn the values of mappings into numbers where only they are, as in `{wolf: 0, fox: 1}`."""
    if not isinstance(tree, Mapping):
        return tree
    if all(str(value).isdecimal() for value in tree.values()) and not all(map(str.isdecimal, tree)):
        return {name: int(value) for name, value in tree.items()}
    return {name: _numbered(value) for name, value in tree.items()}


def _names_from_tree(tree: object) -> list[str]:
    """Return the names held by a parsed JSON or YAML document."""
    if isinstance(tree, Mapping):
        inner = tree.get("id2label", tree.get("label2id"))
        tree = inner if isinstance(inner, Mapping) else tree
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [str(name) for name in tree]
    if isinstance(tree, Mapping) and all(isinstance(value, int) for value in tree.values()):
        return _by_index((index, str(name)) for name, index in tree.items())
    if isinstance(tree, Mapping):
        return _by_index((int(index), str(name)) for index, name in tree.items())
    raise ValueError("expected a list of names or a mapping between names and indices")


def _names_from_csv(text: str) -> list[str]:
    header, rows = _csv_rows(text)
    if "class_name" in header:
        names = [row[header.index("class_name")] for row in rows]
        if "class_index" not in header:
            return names
        at = header.index("class_index")
        return _by_index((int(row[at]), name) for row, name in zip(rows, names, strict=True))
    if len(header) > 1:
        raise ValueError("several columns, none of them called class_name")
    return [row[0].strip() for row in [header, *rows] if row]


def _by_index(pairs: Iterable[tuple[int, str]]) -> list[str]:
    ordered = sorted(pairs)
    if [index for index, _ in ordered] != list(range(len(ordered))):
        raise ValueError(f"the indices are not 0 to {len(ordered) - 1}, each once")
    return [name for _, name in ordered]


_READERS: dict[str, Callable[[str], list[str]]] = {
    ".txt": _names_from_text,
    ".json": lambda text: _names_from_tree(json.loads(text)),
    ".yaml": _names_from_yaml,
    ".yml": _names_from_yaml,
    ".csv": _names_from_csv,
}

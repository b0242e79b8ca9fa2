"""Read the names of classes, and of their superclasses, from files."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from errlens.classes.headers import named, read_header, tidied_headers
from errlens.classes.names import ClassNames, Superclasses
from errlens.classes.spelling import folded
from errlens.documents import parse_json, parse_yaml, read_text
from errlens.errors import BadClassFile, MissingInput, shortened, some
from errlens.escapes import text_of
from errlens.formats import are, count, counted

MOST_BYTES: Final = 16 * 2**20
OPEN_MARK: Final = "? "  # before a name in a text file that somebody has yet to decide

# Hugging Face, Ultralytics, run.json
_INNER_KEYS = ("id2label", "label2id", "names", "classes", "class_names")
_NAME_COLUMNS = ("class_name", "name", "class", "label")
_INDEX_COLUMNS = ("class_index", "index", "idx", "id")
_SUPERCLASS_COLUMNS = ("class_name", "superclass")


def read_classes(path: Path) -> ClassNames:
    """Read class names in output order from a txt, json, yaml or csv file.

    Text: one name a line; one that begins with `? ` is not decided, and refused. JSON and YAML: a
    list, or a mapping between names and indices in either direction, alone or as the `id2label` of
    a Hugging Face configuration, the `names` of an Ultralytics one or the `class_names` of the
    run.json of a run. CSV: a column `class_name`
    (or `name`), ordered by a column `class_index` (or `index`) where there is one, or a single
    column without a header.

    Raises:
        MissingInput: There is no such file.
        BadClassFile: It is none of these, or a name is not decided.
    """
    if not path.is_file():
        raise MissingInput(path, what="class file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadClassFile(f"class file {str(path)!r} is none of {', '.join(_READERS)}")
    try:
        names = reader(read_text(path, encoding="utf-8-sig", most_bytes=MOST_BYTES))
    except (ValueError, csv.Error) as error:
        raise BadClassFile(
            f"class file {str(path)!r}: {shortened(str(error), most=300)}",
            hint="one name a line in a .txt file, first output first, will do",
        ) from error
    return ClassNames(tuple(names), source=f"the file {path.name}")


def read_superclasses(path: Path, classes: ClassNames) -> Superclasses:
    """Read a csv file with the columns `class_name,superclass`.

    Raises:
        MissingInput: There is no such file.
        BadClassFile: A column is missing, a class is listed twice or does not exist, or a
            superclass is spelt in two ways.
    """
    if not path.is_file():
        raise MissingInput(path, what="superclass file")
    try:
        text = read_text(path, encoding="utf-8-sig", most_bytes=MOST_BYTES)
        header, table = _csv_rows(text, wanted=_SUPERCLASS_COLUMNS)
    except (ValueError, csv.Error) as error:
        raise BadClassFile(f"superclass file {str(path)!r}: {error}") from error
    header = tidied_headers(header, wanted=_SUPERCLASS_COLUMNS)
    missing = {*_SUPERCLASS_COLUMNS} - {*header}
    if missing:
        raise BadClassFile(f"superclass file {str(path)!r} has no column {some(sorted(missing))}")
    name_at, parent_at = map(header.index, _SUPERCLASS_COLUMNS)
    rows = [(row[name_at], parent) for row in table if (parent := row[parent_at].strip())]
    # A class may be listed by its name and again by an alias: then it is listed twice.
    spellings = Counter(classes.index(name) for name, _ in rows)
    repeated = [name for name, _ in rows if spellings[classes.index(name)] > 1]
    if repeated and not classes.unknown(repeated):
        raise BadClassFile(f"superclass file {str(path)!r} lists {some(repeated)} more than once")
    _refuse_twins(path, {parent for _, parent in rows})
    return Superclasses.from_mapping(dict(rows), classes, source=f"the file {path.name}")


def _refuse_twins(path: Path, parents: Collection[str]) -> None:
    """Raise an error where two superclasses are one that is spelt in two ways."""
    by_folded: dict[str, str] = {}
    for parent in sorted(parents):
        twin = by_folded.setdefault(folded(parent), parent)
        if twin != parent:
            raise BadClassFile(
                f"superclass file {str(path)!r} has {twin!r} and {parent!r}, which differ in "
                "spelling only",
                hint="spell a superclass in one way",
            )


def _csv_rows(text: str, *, wanted: Collection[str]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table in which no row is shorter than the header."""
    first = read_header(io.StringIO(text), wanted=wanted)
    # Without a known column, what could be a delimiter is rather part of a class name.
    delimiter = first.delimiter if named(first, wanted) else ","
    lines = islice(io.StringIO(text), first.lines - 1, None)
    table = csv.reader(lines, delimiter=delimiter)
    header, rows = [text_of(cell) for cell in next(table, [])], []
    for row in filter(None, table):
        if len(row) < len(header):
            line = first.lines - 1 + table.line_num
            raise ValueError(f"line {line} has fewer values than the header")
        rows.append([text_of(cell) for cell in row])
    return header, rows


def _names_from_text(text: str) -> list[str]:
    if not text.strip():
        return []
    names = [text_of(line.strip()) for line in text.rstrip().split("\n")]
    if "" in names:
        raise ValueError(f"line {names.index('') + 1} is empty")
    undecided = [number for number, name in enumerate(names, 1) if name.startswith(OPEN_MARK)]
    if undecided:
        first = undecided[0]
        raise BadClassFile(
            f"{count(len(undecided))} of {counted(len(names), 'name')} {are(len(undecided))} "
            f"marked as "
            f"not decided, the first in line {first}: {names[first - 1]!r}",
            hint=f"line {first} names output {first - 1}: write the name that its images show, or "
            f"take away the {OPEN_MARK!r} where the one suggested is right",
        )
    return names


def _names_from_yaml(text: str) -> list[str]:
    # Read without types: a class may be called no, null or 007.
    return _names_from_tree(_numbered(parse_yaml(text, untyped=True)))


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
        inner = next((tree[key] for key in _INNER_KEYS if key in tree), None)
        tree = tree if inner is None or isinstance(inner, str | int) else inner
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [str(name) for name in tree]
    if isinstance(tree, Mapping) and all(isinstance(value, int) for value in tree.values()):
        return _by_index((index, str(name)) for name, index in tree.items())
    if isinstance(tree, Mapping):
        return _by_index((int(index), _plain(name)) for index, name in tree.items())
    raise ValueError("expected a list of names or a mapping between names and indices")


def _plain(name: object) -> str:
    """Return a name; Keras keeps it beside its synset id."""
    if isinstance(name, list | tuple) and len(name) == 2:
        name = name[1]
    if isinstance(name, list | tuple | Mapping):
        raise ValueError(f"expected a name, not a {type(name).__name__}")
    return str(name)


def _names_from_csv(text: str) -> list[str]:
    header, rows = _csv_rows(text, wanted=(*_NAME_COLUMNS, *_INDEX_COLUMNS))
    lowered = [name.strip().lower() for name in header]
    name_at = next((lowered.index(name) for name in _NAME_COLUMNS if name in lowered), None)
    if name_at is not None:
        names = [row[name_at].strip() for row in rows]
        at = next((lowered.index(name) for name in _INDEX_COLUMNS if name in lowered), None)
        if at is None:
            return names
        return _by_index((int(row[at]), name) for row, name in zip(rows, names, strict=True))
    if len(header) > 1:
        raise ValueError(f"several columns, none of them called {', '.join(_NAME_COLUMNS)}")
    return [row[0].strip() for row in [header, *rows] if row]


def _by_index(pairs: Iterable[tuple[int, str]]) -> list[str]:
    ordered = sorted(pairs)
    if [index for index, _ in ordered] != list(range(len(ordered))):
        raise ValueError(f"the indices are not 0 to {len(ordered) - 1}, each once")
    return [name for _, name in ordered]


_READERS: dict[str, Callable[[str], list[str]]] = {
    ".txt": _names_from_text,
    ".json": lambda text: _names_from_tree(parse_json(text)),
    ".yaml": _names_from_yaml,
    ".yml": _names_from_yaml,
    ".csv": _names_from_csv,
}

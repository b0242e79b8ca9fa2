"""Names of some classes, in any order: a list that a person or a program made, or class folders."""

import csv
import io
from itertools import islice
from pathlib import Path
from typing import Final

from errlens.classes.headers import named, read_header, tidied_headers
from errlens.classes.spelling import tidied
from errlens.documents import parse_json, parse_yaml, read_text
from errlens.errors import BadClassFile, MissingInput, shortened
from errlens.escapes import text_of

MOST_BYTES: Final = 16 * 2**20
NAME_COLUMNS: Final = ("class_name", "name", "class", "label", "label_name", "synset")

_TABLES: Final = (".csv", ".tsv")
_RUN: Final = "run.json"
_YAML: Final = (".yaml", ".yml")


def read_list(path: Path) -> list[str]:
    """Read names, each once: one a line, a csv file, a JSON or YAML list, or a folder's folders.

    Of a run folder, or its run.json, they are the classes of the run. A csv file has a single
    column, or one called `class_name` (or `name`, `class`, `label`, `label_name`, `synset`), like
    RUN/classes.csv.

    Raises:
        MissingInput: There is no such file or folder.
        BadClassFile: It cannot be read, or names nothing.
    """
    if (path / _RUN).is_file():
        return read_list(path / _RUN)
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir() if entry.is_dir())
        names = [name for name in names if not name.startswith(".")]
    elif path.is_file():
        try:
            names = _names(path.suffix.lower(), read_text(path, encoding="utf-8-sig"))
        except (ValueError, csv.Error) as error:
            raise BadClassFile(
                f"list of classes {str(path)!r}: {shortened(str(error), most=300)}",
                hint="one name a line will do",
            ) from error
    else:
        raise MissingInput(path, what="list of classes")
    if not names:
        raise BadClassFile(f"{str(path)!r} names no class")
    return list(dict.fromkeys(names))


def _names(suffix: str, text: str) -> list[str]:
    if suffix in _TABLES:
        return _of_table(text)
    if suffix == ".json":
        return _of_tree(parse_json(text))
    if suffix in _YAML:
        return _of_tree(parse_yaml(text, untyped=True))
    return [text_of(line.strip()) for line in text.split("\n") if line.strip()]


def _of_tree(tree: object) -> list[str]:
    if isinstance(tree, dict) and "class_names" in tree:
        tree = tree["class_names"]
    if not isinstance(tree, list) or any(isinstance(name, list | dict) for name in tree):
        raise ValueError("expected a list of names")
    return [str(name) for name in tree]


def _of_table(text: str) -> list[str]:
    header = read_header(io.StringIO(text), wanted=NAME_COLUMNS)
    # Without a known column, what could be a delimiter is rather part of a name.
    is_known = named(header, NAME_COLUMNS) > 0
    lines = islice(io.StringIO(text), header.lines - 1, None)
    first, *rows = csv.reader(lines, delimiter=header.delimiter if is_known else ",")
    if not is_known:
        if len(first) > 1:
            raise ValueError(f"several columns, none of them called {', '.join(NAME_COLUMNS)}")
        rows, at = [first, *rows], 0
    else:
        columns = tidied_headers(first, wanted=NAME_COLUMNS)
        at = next(columns.index(name) for name in NAME_COLUMNS if name in columns)
    cells = [row[at] for row in rows if len(row) > at]
    return [tidied(text_of(cell)) for cell in cells if cell.strip()]

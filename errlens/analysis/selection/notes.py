"""The notes of a person on pairs, groups and rows, from a file beside the run.

They stand in a YAML file, or in a table that a command wrote, like worst.csv or pairs.csv, with a
column for them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.selection.parsing import Term, parse_selector
from errlens.analysis.selection.picking import Selectable, meant_rows
from errlens.analysis.selection.written_tables import (
    ROW_COLUMNS,
    WrittenTable,
    read_written_table,
)
from errlens.documents import BadDocument, parse_yaml, read_text
from errlens.errors import (
    BadConfig,
    MissingInput,
    UnfitSelection,
    did_you_mean,
    nearest,
    shortened,
    some,
)
from errlens.formats import counted
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

# notes.csv
NOTE_COLUMNS: Final = {
    "about": TEXT, "errors": WHOLE, "gain_if_solved": NUMBER, "observation": TEXT, "idea": TEXT,
}  # fmt: skip
_KEYS: Final = ("observation", "idea")
_MARK_KEYS: Final = ("verdict", "label")  # of an image that a person has marked
_KINDS: Final = ("~", "/", "group", "row", "path")
_TABLES: Final = (".csv", ".tsv", ".txt", ".parquet")
# Columns for a person's notes, and which columns of what commands write say what a line is about.
OBSERVATION_COLUMNS: Final = ("observation", "note", "notes", "comment", "remark")
_TEXTS: Final = {"observation": OBSERVATION_COLUMNS, "idea": ("idea", "ideas")}
_ENDS: Final = (("class_a", "class_b", "~"), ("true_class", "pred_class", "/"))


class Note(NamedTuple):
    """A remark about two classes (`A~B`, `A/B`), a group or a row; either text may be empty.

    Of an image that was marked, the observation begins with the mark. `block` is what the file
    says, as it is written there.
    """

    about: str
    term: Term
    observation: str
    idea: str
    block: Mapping[str, str] = MappingProxyType({})

    @property
    def lines(self) -> list[str]:
        """The note as it is shown, without what is empty."""
        texts = zip(_KEYS, (self.observation, self.idea), strict=True)
        return [f"{key}: {text}" for key, text in texts if text]

    def is_about(self, term: Term) -> bool:
        """Tell whether this is what the note is about; `A~B` is `B~A`."""
        ways = [term]
        if term.kind == "~":
            ways.append(term._replace(classes=term.classes[::-1]))
        return self.term in ways


def read_notes(path: Path, among: Selectable) -> list[Note]:
    """Read a YAML file with a block for each pair, group or row: `observation`, `idea` or both.

    That of an image may have the `verdict` of a person and the right `label`, too.

    Or a table with columns of these names, such as notes.csv, worst.csv, pairs.csv, cells.csv or
    groups.csv with a column added; lines without a note are passed over.

    Raises:
        MissingInput: There is no such file.
        BadConfig: It is no such YAML, or no such table.
        UnfitSelection: A key names a class, group or row that is not there.
        InputError: A table names images that the run does not have.
    """
    if not path.is_file():
        raise MissingInput(path, what="notes")
    if path.suffix.lower() in _TABLES:
        return _notes_of_table(path, among)
    try:
        tree = parse_yaml(read_text(path))
    except BadDocument as error:
        raise BadConfig(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(tree, dict):
        raise BadConfig(f"{path} must hold a block for each A~B, group:N or row:N")
    return [_note(path, str(about), block, among) for about, block in tree.items()]


def notes_table(notes: Sequence[Note], among: Selectable) -> pd.DataFrame:
    """Return the notes with what there is to gain, most first; ties in the order written.

    Columns: `about`, `errors` (images concerned that are wrong), `gain_if_solved` (their share of
    all images that count), `observation`, `idea`.
    """
    correct = among.column("correct")
    total = max(1, int((correct >= 0).sum()))
    errors = [int((meant_rows([note.term], among) & (correct == 0)).sum()) for note in notes]
    table = pd.DataFrame(
        {
            "about": pd.array([note.about for note in notes], "str"),
            "errors": errors,
            "gain_if_solved": [count / total for count in errors],
            "observation": pd.array([note.observation for note in notes], "str"),
            "idea": pd.array([note.idea for note in notes], "str"),
        }
    )
    return table.sort_values("errors", ascending=False, kind="stable", ignore_index=True)


def _notes_of_table(path: Path, among: Selectable) -> list[Note]:
    """Return the notes that stand in a table."""
    known = [name for names in _TEXTS.values() for name in names]
    table = read_written_table(path, wanted=(*known, "about", *ROW_COLUMNS))
    columns = {
        key: [table.columns[name] for name in names if name in table.columns]
        for key, names in _TEXTS.items()
    }
    if not any(columns.values()):
        raise BadConfig(
            f"{path} has no column observation or idea; it has {some([*table.columns])}",
            hint="add one of them, and write notes into it",
        )
    notes = [
        {key: text for key, cells in columns.items() if (text := _joined(cells, line))}
        for line in range(len(table))
    ]
    lines = [line for line, texts in enumerate(notes) if texts]
    abouts = _abouts(table.at(lines), among)
    return [
        _note(path, about, notes[line], among) for line, about in zip(lines, abouts, strict=True)
    ]


def _joined(columns: Sequence[Sequence[str | None]], line: int) -> str:
    return "; ".join(text for cells in columns if (text := cells[line]))


def _abouts(table: WrittenTable, among: Selectable) -> list[str]:
    """Return the selector of what each line is about."""
    columns = table.columns
    if "about" in columns:
        return [about or "" for about in columns["about"]]
    for first, second, sign in _ENDS:
        if first in columns and second in columns:
            ends = zip(columns[first], columns[second], strict=True)
            return [f"{a or ''}{sign}{b or ''}" for a, b in ends]
    if "group" in columns and not {*ROW_COLUMNS} & {*columns}:
        return [f"group:{number or ''}" for number in columns["group"]]
    return [f"row:{row}" for row in table.rows_of(among.table)]


def _note(path: Path, about: str, block: object, among: Selectable) -> Note:
    """Check one block of the file."""
    about, term = _one_term(path, about, among)
    shown = repr(shortened(about))
    if not isinstance(block, Mapping) or not block:
        raise BadConfig(f"{path}: {shown} must hold an observation, an idea or both")
    keys = (*_KEYS, *_MARK_KEYS) if term.kind == "row" else _KEYS
    for key, text in block.items():
        if key not in keys:
            raise BadConfig(
                f"{path}: unknown key {shortened(str(key))!r} of {shown}",
                hint=did_you_mean(nearest(str(key), keys)[:1], f"known keys: {', '.join(keys)}"),
            )
        if not isinstance(text, str):
            raise BadConfig(f"{path}: {key} of {shown} must be text, not {shortened(repr(text))}")
    mark = ", ".join(block[key] for key in _MARK_KEYS if key in block)
    observation, idea = (" ".join(block.get(key, "").split()) for key in _KEYS)
    observation = ": ".join(text for text in (mark, observation) if text)
    return Note(about, term, observation, idea, block)


def _one_term(path: Path, about: str, among: Selectable) -> tuple[str, Term]:
    """Return what a note is about, and how that is written; the path of an image is its row."""
    shown = repr(shortened(about))
    try:
        terms = parse_selector(about, among.classes)
        rows = np.flatnonzero(meant_rows(terms, among))  # or there is no such group or row
    except UnfitSelection as error:
        raise UnfitSelection(f"{path}: {error}", hint=error.hint) from error
    if len(terms) > 1 or terms[0].kind not in _KINDS:
        raise BadConfig(f"{path}: {shown} is no A~B, A/B, group:N, row:N or path of an image")
    if terms[0].kind != "path":
        return about, terms[0]
    if len(rows) != 1:
        raise BadConfig(f"{path}: {shown} means {counted(len(rows), 'image')}, not one")
    return f"row:{rows[0]}", Term("row", number=int(rows[0]))

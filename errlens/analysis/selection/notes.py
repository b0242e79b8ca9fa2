"""The notes of a person on pairs, groups and rows, from a file beside the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.analysis.selection.parsing import Term, parse_selector
from errlens.analysis.selection.picking import Selectable, meant_rows
from errlens.documents import BadDocument, parse_yaml, read_text
from errlens.errors import BadConfig, MissingInput, UnfitSelection, did_you_mean, nearest, shortened
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

_KEYS: Final = ("observation", "idea")
# notes.csv
NOTE_COLUMNS: Final = {
    "about": TEXT, "errors": WHOLE, "gain_if_solved": NUMBER, "observation": TEXT, "idea": TEXT,
}  # fmt: skip
_KINDS: Final = ("~", "/", "group", "row")


class Note(NamedTuple):
    """A remark about two classes (`A~B`, `A/B`), a group or a row; either text may be empty."""

    about: str
    term: Term
    observation: str
    idea: str

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

    Raises:
        MissingInput: There is no such file.
        BadConfig: It is no such YAML.
        UnfitSelection: A key names a class, group or row that is not there.
    """
    if not path.exists():
        raise MissingInput(path, what="notes")
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


def _note(path: Path, about: str, block: object, among: Selectable) -> Note:
    """Check one block of the file."""
    shown = repr(shortened(about))
    try:
        terms = parse_selector(about, among.classes)
        meant_rows(terms, among)  # or there is no such group or row
    except UnfitSelection as error:
        raise UnfitSelection(f"{path}: {error}", hint=error.hint) from error
    if len(terms) > 1 or terms[0].kind not in _KINDS:
        raise BadConfig(f"{path}: {shown} is no A~B, A/B, group:N or row:N")
    if not isinstance(block, Mapping) or not block:
        raise BadConfig(f"{path}: {shown} must hold an observation, an idea or both")
    for key, text in block.items():
        if key not in _KEYS:
            raise BadConfig(
                f"{path}: unknown key {shortened(str(key))!r} of {shown}",
                hint=did_you_mean(nearest(str(key), _KEYS)[:1], f"known keys: {', '.join(_KEYS)}"),
            )
        if not isinstance(text, str):
            raise BadConfig(f"{path}: {key} of {shown} must be text, not {shortened(repr(text))}")
    observation, idea = (" ".join(block.get(key, "").split()) for key in _KEYS)
    return Note(about, terms[0], observation, idea)

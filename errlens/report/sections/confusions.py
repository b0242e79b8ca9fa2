"""Pairs, groups, one-way and exceptional errors: each with its images and a person's notes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.sentences import shown_pairs, told_status
from errlens.analysis.selection.notes import Note
from errlens.analysis.selection.parsing import Term, pair_selector, parse_selector
from errlens.analysis.selection.picking import Selectable
from errlens.documents import parse_json
from errlens.errors import UnfitSelection
from errlens.escapes import shell_line
from errlens.report.parts import Part, records
from errlens.report.shots import Shots

PAIRS_SHOWN: Final = 20
CANDIDATES_SHOWN: Final = 5
OF_A_CELL: Final = 6  # thumbnails
OF_A_RIGHT_CLASS: Final = 3
HEATMAPS: Final = 2  # of a pair or a group
GROUPS_SHOWN: Final = 10
ONE_WAY_SHOWN: Final = 30
EXCEPTIONAL_SHOWN: Final = 24


def read_notes(misclassified: Part, among: Selectable) -> list[Note]:
    """Return a person's notes; one about a class that is no more is left out."""
    known = []
    for row in misclassified.first("notes"):
        try:
            terms = parse_selector(row["about"], among.classes)
        except UnfitSelection:
            continue
        known.append(Note(row["about"], terms[0], row["observation"] or "", row["idea"] or ""))
    return known


def notes_about(term: Term, notes: Sequence[Note]) -> list[str]:
    """Return what a person has to say of something."""
    return [line for note in notes if note.is_about(term) for line in note.lines]


def pairs(
    confusion: Part, among: Selectable, shots: Shots, notes: Sequence[Note]
) -> list[dict[str, Any]]:
    """Return the strongest pairs, each with images of both ways beside those that are right.

    These are the mutual and the likely ones; where there are none, the strongest candidates.
    """
    if "pairs" not in confusion.tables:
        return []
    shown = shown_pairs(confusion.tables["pairs"], named=PAIRS_SHOWN, candidates=CANDIDATES_SHOWN)
    return [pair(row, among, shots, notes) for row in records(shown)]


def pair(
    row: dict[str, Any], among: Selectable, shots: Shots, notes: Sequence[Note]
) -> dict[str, Any]:
    """Return one row of pairs.csv with its images."""
    names = (row["class_a"], row["class_b"])
    a, b = (among.classes.names.index(name) for name in names)
    there, back = _cell_rows(a, b, among), _cell_rows(b, a, among)
    right = [among.surest_right(end)[:OF_A_RIGHT_CLASS] for end in (a, b)]
    first = [row for both in zip(there[:1], back[:1], strict=False) for row in both]
    explained = [row for row in [*first, *there, *back] if shots.is_explained(int(row))]
    return {
        **row,
        "told_status": told_status(row),
        "selector": pair_selector(*names, among.classes),
        "notes": notes_about(Term("~", (a, b)), notes),
        "there": shots.want(there[:OF_A_CELL]),
        "back": shots.want(back[:OF_A_CELL]),
        "right_a": shots.want(right[0]),
        "right_b": shots.want(right[1]),
        "heatmaps": shots.heatmaps(dict.fromkeys(explained), most=HEATMAPS),
        "to_explain": _to_explain(shots, pair_selector(*names, among.classes)),
    }


def _to_explain(shots: Shots, selector: str | None) -> str | None:
    """Return the command that makes heat maps; None where there is no model or no selector."""
    if shots.run.info.imported or selector is None:
        return None
    return shell_line(["errlens", "explain", shots.run.path, "--select", selector])


def groups(
    confusion: Part,
    among: Selectable,
    shots: Shots,
    notes: Sequence[Note],
    told: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return the largest groups, each with its worst errors.

    One of two classes is left out that is among the pairs `told`, unless somebody has noted
    something of it.
    """
    shown = []
    pairs = [{pair["class_a"], pair["class_b"]} for pair in told]
    label, pred = among.column("label"), among.column("pred")
    for row in confusion.first("groups", GROUPS_SHOWN):
        names = parse_json(row["classes"])
        said = notes_about(Term("group", number=row["group"]), notes)
        if {*names} in pairs and not said:
            continue
        members = [among.classes.names.index(name) for name in names]
        inside = np.isin(label, members) & np.isin(pred, members)
        rows = among.ranked(inside)
        explained = [row for row in rows if shots.is_explained(int(row))]
        shown.append(
            {
                **row,
                "classes": names,
                "notes": said,
                "rows": shots.want(rows[: 2 * OF_A_CELL]),
                "heatmaps": shots.heatmaps(explained, most=HEATMAPS),
            }
        )
    return shown


def one_way(confusion: Part, matrix: ConfusionMatrix) -> list[dict[str, Any]]:
    """Return the classes that vanish into another one, and what comes back."""
    shown = []
    for row in confusion.first("absorbed", ONE_WAY_SHOWN):
        back, n_back = matrix.taken(row["pred_class"], row["true_class"])
        shown.append({**row, "back": back, "n_back": n_back})
    return shown


def exceptional(confusion: Part, shots: Shots) -> dict[str, Any] | None:
    """Return the strongest errors beyond a superclass; None where none are known."""
    table = confusion.tables.get("exceptional")
    if table is None:
        return None
    rows = records(table, EXCEPTIONAL_SHOWN)
    shots.want(row["row"] for row in rows)
    return {"total": len(table), "rows": rows}


def _cell_rows(true: int, pred: int, among: Selectable) -> NDArray[np.int64]:
    """Return the errors of a cell of the matrix, the worst first."""
    return among.ranked((among.column("label") == true) & (among.column("pred") == pred))

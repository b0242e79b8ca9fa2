"""What other commands could add to the page, and how."""

from collections.abc import Mapping, Sequence
from typing import Final

from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.selection.notes import Note
from errlens.report.parts import Part, Problem
from errlens.report.sources import Sources

_PARTS: Final = {
    "confusion": "Confused pairs and groups",
    "explain": "Heat maps",
    "compare": "What changed since an older run",
}


def absent_parts(
    sources: Sources,
    problems: Mapping[str, Problem],
    *,
    matrix: ConfusionMatrix,
    confusion: Part,
    notes: Sequence[Note],
) -> list[tuple[str, Problem]]:
    """Return what is not on the page, by title; what a run cannot have is left out.

    Args:
        sources: The run.
        problems: Why parts of the page cannot be shown.
        matrix: What was taken for what.
        confusion: The tables of confusions.
        notes: A person's notes.
    """
    absent = [
        (title, problems[name])
        for name, title in _PARTS.items()
        if name in problems and not (name == "explain" and sources.run.info.imported)
    ]
    if confusion.tables and not matrix.superclasses and len(matrix.classes) >= LEAST_SET:
        command = sources.command("confusion", "--superclasses", "FILE")
        what = Problem("No superclasses are known", command, "takes them from a file")
        absent.append(("Errors beyond a superclass", what))
    if matrix.n_errors and not notes:
        command = sources.command("misclassified", "--notes", "FILE")
        unread = problems.get("misclassified")
        what = Problem(unread.what if unread else "No notes", command, "takes them from a file")
        absent.append(("Your observations and ideas", what))
    return absent

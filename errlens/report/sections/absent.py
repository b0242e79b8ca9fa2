"""What other commands could add to the page, and how."""

from collections.abc import Mapping, Sequence
from typing import Final

from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.selection.notes import Note
from errlens.escapes import shell_line
from errlens.report.parts import Part, Problem
from errlens.report.sections.network.section import FOLDER, TITLE, Inside
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
    network: Inside,
) -> list[tuple[str, Problem]]:
    """Return what is not on the page, by title; what a run cannot have is left out.

    Args:
        sources: The run.
        problems: Why parts of the page cannot be shown.
        matrix: What was taken for what.
        confusion: The tables of confusions.
        notes: A person's notes.
        network: What is known of the inside of the network.
    """
    absent = [
        (title, problems[name])
        for name, title in _PARTS.items()
        if name in problems and not (name == "explain" and sources.run.info.imported)
    ]
    if not sources.run.info.imported:
        absent += network.problems or _network(sources, network)
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


def _network(sources: Sources, network: Inside) -> list[tuple[str, Problem]]:
    """Say that nobody has looked inside the network yet, if that is so."""
    if network.told:
        return []
    run = sources.run.path
    command = shell_line(["errlens", "network", "features", run])
    what = f"{str(run / FOLDER)!r} is not there"
    return [(TITLE, Problem(what, command, "shows what its channels answer to"))]


def without_maps(sources: Sources, problem: Problem, selectors: Sequence[str] = ()) -> Problem:
    """Return why there are no heat maps of these images, and what makes them."""
    if sources.run.info.imported:
        return Problem(
            "the predictions were imported, so there is no model to explain with",
            "errlens evaluate DATA --model NAME -o ANOTHER_RUN",
            "makes a run that has one",
        )
    chosen = [word for selector in selectors for word in ("--select", selector)]
    return problem._replace(command=sources.command("explain", *chosen))

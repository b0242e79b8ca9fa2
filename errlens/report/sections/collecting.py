"""What to collect next: the classes that there is evidence for, and which of their images."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.findings.finding import Finding
from errlens.analysis.mistakes.collecting import (
    NO_IMAGE,
    Wanted,
    collect_table,
    wanted_classes,
)
from errlens.documents import parse_json
from errlens.formats import NOT_KNOWN, of, points, share, share_range
from errlens.report.parts import Part, records

SHOWN: Final = 30
IDEAS_SHOWN: Final = 50


class WantedClass(NamedTuple):
    """A class to photograph next; `thin` are the findings on images of it, with their ranks."""

    name: str
    why: str
    wrong: str
    gain: str
    recall: str
    interval: str
    confused_with: Sequence[str]
    thin: Sequence[tuple[int, str]]


class ToCollect(NamedTuple):
    """The first of the `total` classes that there is evidence for, and a person's ideas.

    `n_others` further classes have errors, but no more than the rest.
    """

    classes: Sequence[WantedClass]
    total: int
    n_others: int
    ideas: Sequence[dict[str, Any]]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not self.classes and not self.ideas


def to_collect(
    matrix: ConfusionMatrix, misclassified: Part, findings: Sequence[Finding]
) -> ToCollect:
    """Return the classes that want photos, most to gain first."""
    table = collect_table(matrix)
    wanted = wanted_classes(table, matrix) if matrix.total else []
    rows = records(table)
    return ToCollect(
        classes=[_told(rows[entry.place], entry, findings) for entry in wanted[:SHOWN]],
        total=len(wanted),
        n_others=len(table) - len(wanted),
        ideas=misclassified.first("notes", IDEAS_SHOWN),
    )


def _told(row: dict[str, Any], wanted: Wanted, findings: Sequence[Finding]) -> WantedClass:
    name = row["class_name"]
    against = "" if wanted.elsewhere is None else f" (all others: {share(wanted.elsewhere)} wrong)"
    known = wanted.reason != NO_IMAGE
    return WantedClass(
        name=name,
        why=f"{wanted.reason}{against}",
        wrong=of(row["errors"], row["n"]) if known else NOT_KNOWN,
        gain=points(row["gain_if_solved"]),
        recall=share(row["recall"]),
        interval=share_range(row["recall_low"], row["recall_high"]),
        confused_with=parse_json(row["confused_with"]),
        thin=[
            (rank, finding.statement)
            for rank, finding in enumerate(findings, start=1)
            if finding.kind == "slice" and finding.subject.get("class") == name
        ],
    )

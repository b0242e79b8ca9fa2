"""What a page is made of: a run, and what other commands made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from errlens.analysis.accuracy.calibration import ReliabilityBin
from errlens.analysis.accuracy.doubts import doubt
from errlens.analysis.accuracy.metrics import Proportion, class_rates
from errlens.analysis.confusion.exceptional import EXCEPTIONAL_COLUMNS
from errlens.analysis.confusion.groups import GROUP_COLUMNS
from errlens.analysis.confusion.matrix import COLUMNS, ConfusionMatrix, confusion_matrix
from errlens.analysis.confusion.pairs import ABSORBED_COLUMNS, PAIR_COLUMNS
from errlens.analysis.findings.finding import Finding, first_of
from errlens.analysis.findings.reading import read_findings
from errlens.analysis.findings.sentences import not_found
from errlens.analysis.mistakes.collecting import COLLECT_COLUMNS
from errlens.analysis.selection.notes import NOTE_COLUMNS
from errlens.analysis.selection.picking import Selectable
from errlens.escapes import shell_line
from errlens.predictions.table import Predictions
from errlens.report.images.heatmaps import PICTURE_COLUMNS
from errlens.report.images.room import Room
from errlens.report.marks.given import GivenMarks
from errlens.report.overview import Overview, overview
from errlens.report.parts import Part, read_gates, read_part
from errlens.report.shots import Shots
from errlens.run.folder import RunFolder


@dataclass(frozen=True)
class Sources:
    """A run, its errors ranked, and where its images lie; what a page is made of.

    `images` has the columns of `analysis.mistakes.ranking`, with `status` and `content_hash`;
    `marks` are those that the page is given. A page that is `served` holds only what it cannot ask
    its server for.
    """

    run: RunFolder
    images: Predictions
    among: Selectable
    rank: str
    root: Path
    room: Room = field(default_factory=Room)
    marks: GivenMarks = field(default_factory=GivenMarks)
    served: bool = False

    def command(self, name: str, *words: str) -> str:
        """Return the command line of another command for this run."""
        return shell_line(["errlens", name, self.run.path, *words])

    def shots(self) -> Shots:
        """Return an empty collection of images."""
        return Shots(
            self.run,
            self.images,
            self.among,
            self.root,
            read_part(self.run, "explain", {"index": PICTURE_COLUMNS}),
            self.room,
        )


def read_misclassified(run: RunFolder) -> Part:
    """Return what to collect next, and a person's notes."""
    return read_part(
        run, "misclassified", {"collect": COLLECT_COLUMNS}, optional={"notes": NOTE_COLUMNS}
    )


class Verdict(NamedTuple):
    """What the page of a run begins with: sentences, its findings, and what was not found."""

    sentences: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    nothing: Sequence[str] = ()

    @property
    def texts(self) -> list[str]:
        """All of it as sentences, of the findings those that are told first."""
        told = [finding.statement for _, finding in first_of(self.findings)]
        return [*self.sentences, *told, *self.nothing]


def verdict(run: RunFolder, *, gates: bool = True) -> Verdict:
    """Return what the page of a run begins with; the sentence on its gates if asked to."""
    known = read_findings(run)
    found = read_overview(run, read_matrix(run), read_confusion(run), says_why=known.say_why)
    sentences = found.sentences if gates else found.without_gates
    return Verdict(sentences, known.findings, not_found(known.searches))


def read_overview(
    run: RunFolder, matrix: ConfusionMatrix, confusion: Part, *, says_why: bool
) -> Overview:
    """Return what a page begins with, before its findings."""
    metrics = run.metrics
    gates, problem = read_gates(run, metrics)
    return overview(
        metrics,
        matrix=matrix,
        confusion=confusion,
        gates=gates,
        gates_problem=problem,
        doubt=_doubt(run, metrics, matrix),
        says_why=says_why,
    )


def _doubt(run: RunFolder, metrics: Mapping[str, Any], matrix: ConfusionMatrix) -> Sequence[str]:
    """Return the signs that `errlens evaluate` warns of; it does of no predictions from elsewhere.

    Nor does it where a transform of one's own prepares the photos, or the accuracy is the one that
    the user expects.
    """
    info, top1 = run.info, metrics.get("top1")
    if info.imported or "transform" in info.settings.preprocessing or not top1:
        return []
    rates = class_rates(matrix.counts.diagonal(), matrix.n, matrix.n_predicted)
    found = doubt(
        Proportion(*(top1[name] for name in Proportion._fields)),
        [
            ReliabilityBin(*(each[name] for name in ReliabilityBin._fields))
            for each in metrics.get("reliability") or ()
        ],
        pd.DataFrame({"class_name": matrix.classes.names, **rates}),
        expected=info.expected_top1,
    )
    return found.signs if found else []


def read_matrix(run: RunFolder) -> ConfusionMatrix:
    """Count what was taken for what."""
    info = run.info
    return confusion_matrix(run.read_parts(COLUMNS), info.classes, info.superclasses)


def read_confusion(run: RunFolder) -> Part:
    """Return the tables of confusions."""
    return read_part(
        run,
        "confusion",
        {"pairs": PAIR_COLUMNS, "groups": GROUP_COLUMNS, "absorbed": ABSORBED_COLUMNS},
        optional={"exceptional": EXCEPTIONAL_COLUMNS},
    )

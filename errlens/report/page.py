"""What the page knows of a run: everything that other commands made, and what they still can."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from errlens.analysis.confusion.pairs import PAIR_COLUMNS
from errlens.analysis.confusion.sentences import (
    no_group,
    none_exceptional,
    nothing_wrong,
    told_status,
)
from errlens.analysis.findings.finding import Finding
from errlens.analysis.findings.reading import read_findings
from errlens.analysis.findings.scored import COLUMNS, scored
from errlens.analysis.selection.picking import Selectable
from errlens.galleries.choice import galleries_of
from errlens.report.cells import class_data, matrix_data, strongest_cells
from errlens.report.images.listing import by_worth
from errlens.report.marks.data import page_marks
from errlens.report.overview import Overview
from errlens.report.parts import Part, Problem, read_part, records
from errlens.report.provenance import provenance
from errlens.report.sections import confusions
from errlens.report.sections.absent import absent_parts, without_maps
from errlens.report.sections.calibration import Calibration, calibration
from errlens.report.sections.collecting import ToCollect, to_collect
from errlens.report.sections.comparing import Compared, compared, read_comparison
from errlens.report.sections.health import Health, health
from errlens.report.sections.judging import Metrics, judged_metrics
from errlens.report.sections.network.section import Inside, inside_the_network
from errlens.report.sections.two_classes import TwoClasses, two_classes
from errlens.report.sections.why import Why, why
from errlens.report.shots import Shots
from errlens.report.sources import (
    Sources,
    read_confusion,
    read_matrix,
    read_misclassified,
    read_overview,
)

WORST_SHOWN: Final = 24
WORST_HEATMAPS: Final = 12
SELECTED_TILES: Final = 60
SELECTED_HEATMAPS: Final = 24
SELECTED_NAMES: Final = 2_000


@dataclass(frozen=True)
class RunPage:
    """One run. Each section holds plain values, and in `problems` what is not there, by part.

    `photos` is what there is to show where no image has a label.
    """

    title: str
    run: str
    run_hash: str
    overview: Overview
    judged: Metrics
    why: Why
    pairs: Sequence[Mapping[str, Any]]
    no_group: str
    none_exceptional: str
    nothing_wrong: str | None
    groups: Sequence[Mapping[str, Any]]
    one_way: Sequence[Mapping[str, Any]]
    strongest_cells: Sequence[Mapping[str, Any]]
    exceptional: Mapping[str, Any] | None
    calibration: Calibration
    two_classes: TwoClasses | None
    network: Inside
    rank: str
    worst_heatmaps: Sequence[Mapping[str, Any]]
    collect: ToCollect
    compared: Compared | None
    absent: Sequence[tuple[str, Problem]]
    health: Health
    provenance: Mapping[str, Any]
    problems: Mapping[str, Problem]
    commands: Mapping[str, str]
    findings: Sequence[Finding]
    data: Mapping[str, Any]
    marks: Mapping[str, Any]
    shots: Shots
    photos: Mapping[str, Any] | None = None

    @property
    def causes(self) -> Why:
        """The findings but for those that a sentence or a table of the page tells already."""
        told = {"comparison": self.compared is not None, "gate": self.overview.gates is not None}
        return self.why.without({kind for kind, is_told in told.items() if is_told})

    @property
    def untold_problems(self) -> Sequence[Problem]:
        """Why results of the network cannot be shown, where no section on absent parts says it."""
        return [problem for _, problem in self.network.problems] if self.photos else []


@dataclass(frozen=True)
class SelectionPage:
    """What there is to say of the images that were selected."""

    title: str
    run: str
    run_hash: str
    n_rows: int
    galleries: Sequence[Mapping[str, Any]]
    heatmaps: Sequence[Mapping[str, Any]]
    problems: Mapping[str, Problem]
    provenance: Mapping[str, Any]
    marks: Mapping[str, Any]
    data: Mapping[str, Any]
    shots: Shots


def read_page(sources: Sources) -> RunPage:
    """Read everything there is in a run folder."""
    run, among, shots = sources.run, sources.among, sources.shots()
    info, metrics = run.info, run.metrics
    matrix = read_matrix(run)
    confusion = read_confusion(run)
    misclassified = read_misclassified(run)
    compare = read_comparison(run)
    notes = confusions.read_notes(misclassified, among)
    found = read_findings(run)
    marks = page_marks(sources, shots)
    shots.want(among.ranking[:WORST_SHOWN])
    of_findings = chain.from_iterable(finding.rows for finding in found.findings)
    shots.also(chain(among.ranking, of_findings), last=range(len(sources.images)))
    parts = {
        "confusion": confusion,
        "misclassified": misclassified,
        "explain": shots.explained,
        "compare": compare,
    }
    has_labels = bool(matrix.total or metrics.get("n_label_unknown"))
    problems = _problems(sources, parts, has_scored=bool(matrix.total), has_labels=has_labels)
    if not matrix.total:  # no command finds anything without labels
        found = found._replace(unread=None)
    told = why(found, str(run.path), shots)
    overview = read_overview(run, matrix, confusion, says_why=found.say_why)
    images = scored(run.read_predictions(COLUMNS))
    calibrated = calibration(run, metrics, images, found.findings)
    pairs = confusions.pairs(confusion, among, shots, notes)
    thresholds = two_classes(images, found.costs)
    network = inside_the_network(sources, shots)
    return RunPage(
        title=run.path.name or str(run.path),
        run=str(run.path),
        run_hash=info.run_hash,
        overview=overview,
        judged=judged_metrics(overview, matrix, calibrated),
        why=told,
        pairs=pairs,
        no_group=no_group(matrix, confusion.tables["pairs"]) if confusion.tables else "",
        none_exceptional=none_exceptional(matrix),
        nothing_wrong=nothing_wrong(matrix),
        groups=confusions.groups(confusion, among, shots, notes, pairs),
        one_way=confusions.one_way(confusion, matrix),
        strongest_cells=strongest_cells(matrix),
        exceptional=confusions.exceptional(confusion, shots),
        calibration=calibrated,
        two_classes=thresholds,
        network=network,
        rank=sources.rank,
        worst_heatmaps=shots.heatmaps(among.ranking, most=WORST_HEATMAPS),
        collect=to_collect(matrix, misclassified, found.findings),
        compared=compared(compare, sources.images, shots),
        absent=absent_parts(
            sources, problems, matrix=matrix, confusion=confusion, notes=notes, network=network
        )
        if has_labels
        else [],
        health=health(run, matrix),
        provenance=provenance(run),
        problems=problems,
        commands=_commands(sources) if has_labels else {},
        data={
            "images": shots.listing(by_worth(among), found.findings),
            **({"scatter": network.scatter.as_tree()} if network.scatter else {}),
            **(
                {
                    "matrix": matrix_data(matrix, among, shots, confusion, served=sources.served),
                    "classes": class_data(run),
                    "two_classes": thresholds and thresholds.slider,
                }
                if has_labels
                else {}
            ),
        },
        marks=marks,
        findings=found.findings,
        shots=shots,
        photos=None if has_labels else _photos(sources, shots),
    )


def read_selection(
    sources: Sources, selectors: Sequence[str], rows: Iterable[int]
) -> SelectionPage:
    """Read what there is about a selection; `rows` are those it means, in their order."""
    run, among, shots = sources.run, sources.among, sources.shots()
    misclassified = read_misclassified(run)
    confusion = read_part(run, "confusion", {"pairs": PAIR_COLUMNS})
    notes = confusions.read_notes(misclassified, among)
    selected = [int(row) for row in rows]
    shots.also(selected)
    explained = [row for row in selected if shots.is_explained(row)]
    heatmaps = shots.heatmaps(explained, most=SELECTED_HEATMAPS, of_each=SELECTED_HEATMAPS)
    galleries = []
    for gallery in galleries_of(selectors, among, most=SELECTED_TILES):
        about = gallery.about
        shown = {row for section in gallery.sections for row in section.rows}
        ends = set(about.classes) if about and about.kind == "~" else set()
        galleries.append(
            {
                "title": gallery.title,
                "sections": [
                    {"heading": section.heading, "rows": shots.want(section.rows)}
                    for section in gallery.sections
                ],
                "notes": confusions.notes_about(about, notes) if about else [],
                "pair": _pair_of(confusion, ends, among),
                "others": [] if ends else _paths(among, selected, but=shown),
            }
        )
    unexplained = shots.explained.problem
    return SelectionPage(
        title=f"{run.path.name or run.path}: {' and '.join(selectors)}",
        run=str(run.path),
        run_hash=run.info.run_hash,
        n_rows=len(selected),
        galleries=galleries,
        heatmaps=heatmaps,
        problems={"explain": without_maps(sources, unexplained, selectors)} if unexplained else {},
        provenance=provenance(run),
        marks=page_marks(sources, shots),
        data={"images": shots.listing(np.array(selected, np.int64), read_findings(run).findings)},
        shots=shots,
    )


def _problems(
    sources: Sources, parts: Mapping[str, Part], *, has_scored: bool, has_labels: bool
) -> dict[str, Problem]:
    """Return why parts cannot be shown, but for those that say nothing of such images."""
    problems = {name: part.problem for name, part in parts.items() if part.problem}
    if not has_scored:
        problems.pop("confusion", None)
        problems.pop("compare", None)
    if not has_labels:
        problems.pop("misclassified", None)
    if "explain" in problems:
        problems["explain"] = without_maps(sources, problems["explain"])
    return problems


def _photos(sources: Sources, shots: Shots) -> dict[str, Any]:
    """Return the images that were predicted, and where the network found its reasons."""
    predicted = np.flatnonzero(sources.among.column("pred") >= 0).tolist()
    explained = [row for row in predicted if shots.is_explained(row)]
    first = [*dict.fromkeys([*explained, *predicted])][:SELECTED_TILES]
    shown = shots.want(sorted(first))
    return {
        "rows": shown,
        "total": len(predicted),
        "heatmaps": shots.heatmaps(explained, most=SELECTED_HEATMAPS, of_each=SELECTED_HEATMAPS),
    }


def _commands(sources: Sources) -> dict[str, str]:
    """Return the commands that add to what there is already, or show more of it."""
    return {
        "superclasses": sources.command("confusion", "--superclasses", "FILE"),
        "notes": sources.command("misclassified", "--notes", "FILE"),
        "costs": sources.command("diagnose", "--cost", f"{sources.among.classes[0]}=10"),
    }


def _pair_of(confusion: Part, ends: set[int], among: Selectable) -> dict[str, Any] | None:
    """Return the row of pairs.csv about two classes."""
    table = confusion.tables.get("pairs")
    if table is None or not ends:
        return None
    names = [among.classes[index] for index in ends]
    pairs = table[table["class_a"].isin(names) & table["class_b"].isin(names)]
    return next(({**row, "told_status": told_status(row)} for row in records(pairs, 1)), None)


def _paths(among: Selectable, rows: Sequence[int], *, but: set[int]) -> list[str]:
    others = [row for row in rows if row not in but][:SELECTED_NAMES]
    paths: list[str] = among.table["path"].take(np.asarray(others, np.int64)).to_pylist()
    return paths

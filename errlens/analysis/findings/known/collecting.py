"""What the results of a run say, as findings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.channels.ablation import ABLATION_COLUMNS, CHANGE_COLUMNS
from errlens.analysis.channels.ablation import KIND as CHANNELS
from errlens.analysis.comparison.by_image import CHANGED_COLUMNS
from errlens.analysis.comparison.by_run import RUN_COLUMNS
from errlens.analysis.confusion.exceptional import COLUMNS as CROSSING_COLUMNS
from errlens.analysis.confusion.exceptional import EXCEPTIONAL_COLUMNS, exceptional_table
from errlens.analysis.confusion.groups import GROUP_COLUMNS
from errlens.analysis.confusion.matrix import ConfusionMatrix, confusion_matrix
from errlens.analysis.confusion.pairs import ABSORBED_COLUMNS, PAIR_COLUMNS
from errlens.analysis.confusion.tables import find_confusions
from errlens.analysis.findings.finding import Finding
from errlens.analysis.findings.known import lost
from errlens.analysis.findings.known.calibration import from_calibration
from errlens.analysis.findings.known.channels import from_channels
from errlens.analysis.findings.known.classes import from_classes
from errlens.analysis.findings.known.comparisons import from_comparison, from_gates
from errlens.analysis.findings.known.confusions import from_confusions, from_exceptional
from errlens.analysis.findings.known.invariance import from_invariance
from errlens.analysis.findings.known.lost import from_lost_images
from errlens.analysis.findings.known.pasting import from_pasting, read_pasted
from errlens.analysis.findings.known.two_classes import from_two_classes
from errlens.analysis.findings.scored import COLUMNS, Scored, read_kept, scored
from errlens.analysis.gates.written import WrittenGates, read_written_gates
from errlens.analysis.invariance.breaking import KIND as INVARIANCE
from errlens.analysis.invariance.breaking import LOST, NATURAL
from errlens.errors import NoResults
from errlens.predictions.table import Predictions
from errlens.run.csv_tables import Columns
from errlens.run.folder import RunFolder
from errlens.run.results import read_results


@dataclass(frozen=True)
class Results:
    """What a run folder holds that says something of its errors.

    `images` has the columns of `scored.COLUMNS` and of `lost.COLUMNS`. `pairs`, `groups`,
    `absorbed` and `exceptional` are the tables of `errlens confusion`, made here where that was not
    run; `ablation` and `changes` are None where no channels were silenced, `natural` and
    `lost_images` where no photos were transformed, `pasted` where no patches were pasted, `runs`,
    `broken` and `gates` where nothing was compared or checked.
    """

    images: Predictions
    scored: Scored
    matrix: ConfusionMatrix
    logits: NDArray[np.float16] | None
    pairs: pd.DataFrame
    groups: pd.DataFrame
    absorbed: pd.DataFrame
    exceptional: pd.DataFrame | None
    ablation: pd.DataFrame | None
    changes: pd.DataFrame | None
    natural: pd.DataFrame | None
    lost_images: pd.DataFrame | None
    pasted: pd.DataFrame | None
    runs: pd.DataFrame | None
    broken: pd.DataFrame | None
    gates: WrittenGates | None


def known_findings(run: RunFolder, costs: Mapping[str, float] | None = None) -> list[Finding]:
    """Return a finding for each thing that the results of a run say, in no order.

    Args:
        run: A complete run.
        costs: What an error on an image of a class costs, by its name; only of two classes.
    """
    return [_as_typed(finding, run) for finding in collected(read_known(run), costs)]


def _as_typed(finding: Finding, run: RunFolder) -> Finding:
    """Return a finding with a command that this run can do: without a model none is explained."""
    if run.info.imported and finding.command[0] == "explain":
        finding = replace(finding, command=("misclassified", *finding.command[1:]))
    if finding.kind == "group" and _of(run, "confusion", "groups", GROUP_COLUMNS) is None:
        finding = replace(finding, selector=None)  # group:1 reads that table
    return finding


def collected(results: Results, costs: Mapping[str, float] | None = None) -> list[Finding]:
    """Return what the results of a run say, in no order."""
    images = results.scored
    findings = [*from_lost_images(results.images)]
    if results.gates:
        findings += from_gates(results.gates)
    if not len(images):
        return findings
    findings += from_classes(results.matrix, images)
    findings += from_two_classes(images, costs)
    if len(results.pairs) or len(results.absorbed):
        findings += from_confusions(images, results.pairs, results.groups, results.absorbed)
    if results.exceptional is not None:
        findings += from_exceptional(results.exceptional, images)
    findings += _of_changes(results)
    findings += from_calibration(images, results.logits)
    if results.runs is not None:
        findings += from_comparison(results.runs, results.broken)
    return findings


def _of_changes(results: Results) -> list[Finding]:
    """Return what was found by changing the network or its images."""
    findings: list[Finding] = []
    if results.ablation is not None and results.changes is not None:
        findings += from_channels(results.scored, results.ablation, results.changes)
    if results.natural is not None and results.lost_images is not None:
        findings += from_invariance(results.scored, results.natural, results.lost_images)
    if results.pasted is not None:
        findings += from_pasting(results.scored, results.pasted)
    return findings


def read_known(run: RunFolder) -> Results:
    """Read what a run folder holds; results that are stale or damaged are as good as none."""
    images = run.read_predictions(tuple(dict.fromkeys((*COLUMNS, *lost.COLUMNS))))
    of_run = scored(images)
    matrix = confusion_matrix([images], run.info.classes, run.info.superclasses)
    tables = find_confusions(matrix)
    pairs = _of(run, "confusion", "pairs", PAIR_COLUMNS)
    groups = _of(run, "confusion", "groups", GROUP_COLUMNS)
    absorbed = _of(run, "confusion", "absorbed", ABSORBED_COLUMNS)
    return Results(
        images=images,
        scored=of_run,
        matrix=matrix,
        logits=read_kept(run, "logits", of_run) if len(of_run) else None,
        pairs=tables.pairs if pairs is None else pairs,
        groups=tables.groups if groups is None else groups,
        absorbed=tables.absorbed if absorbed is None else absorbed,
        exceptional=_exceptional(run),
        ablation=_of(run, CHANNELS, "ablation", ABLATION_COLUMNS),
        changes=_of(run, CHANNELS, "changes", CHANGE_COLUMNS),
        natural=_of(run, INVARIANCE, "natural", NATURAL),
        lost_images=_of(run, INVARIANCE, "lost", LOST),
        pasted=read_pasted(run),
        runs=_of(run, "compare", "runs", RUN_COLUMNS),
        broken=_of(run, "compare", "broken", CHANGED_COLUMNS),
        gates=_gates(run),
    )


def _of(run: RunFolder, kind: str, name: str, columns: Columns) -> pd.DataFrame | None:
    """Return a table that a command wrote, None where it did not, or of other predictions."""
    try:
        return read_results(run, kind, f"{name}.csv", columns)
    except NoResults:
        return None


def _exceptional(run: RunFolder) -> pd.DataFrame | None:
    """Return the errors that cross a superclass, None where no superclasses are known."""
    if run.info.superclasses:
        return exceptional_table(run.read_parts(CROSSING_COLUMNS), run.info.superclasses)
    return _of(run, "confusion", "exceptional", EXCEPTIONAL_COLUMNS)


def _gates(run: RunFolder) -> WrittenGates | None:
    """Return the gates of these predictions, None where none were checked."""
    try:
        gates = read_written_gates(run)
    except ValueError:
        return None
    return gates if gates and gates.run_hash in (None, run.info.run_hash) else None

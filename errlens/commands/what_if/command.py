"""`errlens what-if`: the figures of a run with other classes or other labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.groups import OutputOptions, RunArgument
from errlens.errors import NoLabels, UnfitOption

if TYPE_CHECKING:
    from errlens.analysis.accuracy.what_if import Evidence, Outcome
    from errlens.analysis.gates.limits import Outcome as Verdict
    from errlens.run.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class WhatIfOptions(RunArgument, OutputOptions):
    """Options of `errlens what-if`."""

    merge: Annotated[
        list[str] | None,
        typer.Option(metavar="A+B", help="Make one class of two or more; repeatable."),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="C", help="Do without a class and its images; repeatable."),
    ] = None
    relabel: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Mend labels: a csv file with row,label or sample_id,label; repeatable.",
        ),
    ] = None

    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            help="Say whether a gate of errlens check would pass: top1, macro_f1, n, recall:CLASS "
            "...; repeatable.",
        ),
    ] = None
    fail_over: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=X", help="Likewise; repeatable.")
    ] = None

    def __post_init__(self) -> None:
        if not (self.merge or self.drop or self.relabel):
            raise UnfitOption(
                "what if what? Nothing would change", hint="add --merge A+B, --drop C or --relabel"
            )


def what_if(options: WhatIfOptions) -> None:
    """Say what the figures of RUN would be with classes merged or dropped, or labels mended.

    Nothing is predicted anew and nothing is written. The probability of a merged class is the sum
    of its classes'; an image whose predicted class was dropped goes to the best one left.
    """
    from errlens.analysis.accuracy.mended_labels import read_labels
    from errlens.analysis.accuracy.regrouping import regroup
    from errlens.analysis.accuracy.what_if import what_if as recount
    from errlens.commands.what_if import view
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    run = options.open_run(screen)

    # Which classes and labels?
    classes, superclasses = run.info.classes, run.info.superclasses
    regrouping = regroup(classes, superclasses, merge=options.merge or (), drop=options.drop or ())
    labels = {
        row: label
        for path in options.relabel or ()
        for row, label in read_labels(path, run.plan, classes).items()
    }

    # What would come out?
    old = recount(_evidence(run), regroup(classes, superclasses))
    new = recount(_evidence(run), regrouping, labels=labels)
    if not (old.matrix.total or new.matrix.total):
        raise NoLabels(run.path)
    gates = _gates(new, options)
    view.show_changes(screen, run, regrouping, new)
    view.show_outcomes(screen, old, new)
    view.show_gates(screen, gates)
    view.print_json(screen, run, old, new, gates)


def _gates(new: "Outcome", options: WhatIfOptions) -> "list[Verdict]":
    """Return what would become of gates."""
    from errlens.analysis.gates.limits import judge, read_gates
    from errlens.analysis.gates.metrics import figures_of_matrix

    figures = figures_of_matrix(new.matrix, new.metrics)
    gates = read_gates(options.fail_under or (), options.fail_over or (), figures)
    return [judge(gate, figures) for gate in gates]


def _evidence(run: "RunFolder") -> Iterator["Evidence"]:
    """Yield the predictions part by part, with the logits where they were kept."""
    from errlens.analysis.accuracy.what_if import COLUMNS, Evidence

    parts = run.read_parts(COLUMNS)
    if "logits" in run.info.keep:
        yield from map(Evidence, parts, run.read_sidecars("logits"))
    else:
        yield from map(Evidence, parts)

"""`errlens check`: is the model good enough, and no worse than it was?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from errlens.commands.options.groups import OutputOptions, RunArgument
from errlens.errors import GateFailed, UnfitOption, some

if TYPE_CHECKING:
    from errlens.analysis.gates.limits import Outcome
    from errlens.run.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class CheckOptions(RunArgument, OutputOptions):
    """Options of `errlens check`."""

    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            help="Fail if a figure is less: top1=0.80 or any other of metrics.json, "
            "recall:CLASS=60%, precision:CLASS=X, f1:CLASS=X; repeatable.",
        ),
    ] = None
    fail_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            help="Fail if a figure is more: ece=0.05, n_failed=0, pair:A~B=0.05 (the share of the "
            "images of both that is taken for the other one); repeatable.",
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|FILE",
            help="An earlier run, or its baseline.parquet: fail if top-1 has surely dropped on the "
            "images of both.",
        ),
    ] = None
    max_drop: Annotated[
        str | None,
        typer.Option(
            metavar="X", help="The drop that is allowed, like 0.5pp or 0.005.  [default: 0]"
        ),
    ] = None
    baseline_missing: Annotated[
        Literal["fail", "pass"],
        typer.Option(help="What the gate does where the baseline does not exist."),
    ] = "fail"
    min_overlap: Annotated[
        str,
        typer.Option(
            metavar="X%|N",
            help="Fail if fewer images can be compared: a share of those of each run, or a number.",
        ),
    ] = "50%"
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 even if a gate failed.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse what asks for nothing."""
        if self.max_drop is not None and self.baseline is None:
            raise UnfitOption("--max-drop needs --baseline: a drop from what?")
        if not (self.fail_under or self.fail_over or self.baseline):
            raise UnfitOption(
                "there is no gate to check",
                hint="like errlens check RUN --fail-under top1=0.80, or --baseline OLD_RUN",
            )


def check(options: CheckOptions) -> "list[Outcome]":
    """Fail if the model is not as good as asked, or surely worse than it was.

    Values are compared unrounded; one that meets its limit passes. What became of each gate goes to
    RUN/gates.json and RUN/junit.xml; the exit code is 1 if one failed.
    """
    from errlens.commands.check import view
    from errlens.report.junit import junit_xml
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    run = options.open_run(screen)
    outcomes = _judge(run, options)
    tree = view.as_tree(run, outcomes)
    run.write_gates(tree, junit_xml(outcomes))
    view.show_outcomes(screen, run, outcomes)
    view.show_next(screen, run, outcomes)
    view.print_json(screen, run, tree)
    failed = [one.gate.name for one in outcomes if not one.passed]
    if failed and not options.exit_zero:
        gates = f"{len(outcomes)} gate{'s' * (len(outcomes) != 1)}"
        raise GateFailed(f"{len(failed)} of {gates} failed: {some(failed)}")
    return outcomes


def _judge(run: "RunFolder", options: CheckOptions) -> "list[Outcome]":
    """Return what becomes of each gate: limits first, then the comparison."""
    from errlens.analysis.gates.limits import judge, read_gates
    from errlens.analysis.gates.metrics import figures_of

    figures = figures_of(run)
    gates = read_gates(options.fail_under or (), options.fail_over or (), figures)
    dropped = [_judge_drop(run, options, options.baseline)] if options.baseline else []
    return [judge(gate, figures) for gate in gates] + dropped


def _judge_drop(run: "RunFolder", options: CheckOptions, baseline: Path) -> "Outcome":
    """Return what becomes of the gate that compares the run with an earlier one."""
    from errlens.analysis.comparison.matching import outcomes, read_baseline, spelt_alike
    from errlens.analysis.gates import drop

    allowed = drop.read_allowed_drop("0" if options.max_drop is None else str(options.max_drop))
    least_overlap = drop.read_least_overlap(str(options.min_overlap))
    if not baseline.exists():
        passes = options.baseline_missing == "pass"
        return drop.without_baseline(str(baseline), allowed=allowed, passes=passes)
    return drop.judge_drop(
        spelt_alike(read_baseline(baseline), run.info.classes),
        outcomes(run),
        allowed=allowed,
        least_overlap=least_overlap,
        baseline=str(baseline),
    )

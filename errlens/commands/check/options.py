"""Options of `errlens check`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument
from errlens.errors import UnfitOption
from errlens.escapes import shell_line


@dataclass(frozen=True, kw_only=True)
class CheckOptions(RunArgument, OutputOptions):
    """Fail if a model is worse than asked, or than it was before.

    Give at least one gate: --fail-under, --fail-over or --baseline. Values are compared unrounded;
    one that meets its limit passes. What became of each gate goes to RUN/gates.json and
    RUN/junit.xml; the exit code is 1 if one failed.

    Examples:
        errlens check runs/sample --fail-under top1=0.60 --fail-over n_failed=0
        errlens check runs/small --baseline runs/sample --max-drop 5pp
    """

    PANEL = Panel.GATES

    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            help="Fail if a metric is less: top1=0.80 or any other of metrics.json, "
            "recall:CLASS=60%, precision:CLASS=X or f1:CLASS=X.",
        ),
    ] = None
    fail_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            help="Fail if a metric is more: ece=0.05, n_failed=0, pair:A~B=0.05 (the share of the "
            "images of both that is taken for the other one), finding:label_issue=0 or any other "
            "kind of errlens diagnose.",
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
            metavar="X",
            show_default="0",
            help="The drop that is allowed since --baseline, like 0.5pp or 0.005.",
        ),
    ] = None
    baseline_missing: Annotated[
        Literal["fail", "pass"],
        typer.Option(help="What --baseline does where there is none."),
    ] = "fail"
    min_overlap: Annotated[
        str,
        typer.Option(
            metavar="X%|N",
            help="Fail if fewer images can be compared with --baseline: a share of those of each "
            "run, or a number.",
        ),
    ] = "50%"
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 even if a gate failed.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse options without a gate, or with a drop from nothing."""
        if self.max_drop is not None and self.baseline is None:
            raise UnfitOption("--max-drop needs --baseline, the run that the drop is from")
        if not (self.fail_under or self.fail_over or self.baseline):
            run = [self.run] if self.run else []
            command = shell_line(["errlens", "check", *run, "--fail-under", "top1=0.80"])
            raise UnfitOption(
                "there is no gate to check",
                hint=f"like {command}; or --baseline RUN, an earlier run",
            )

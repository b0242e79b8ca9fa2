"""Options of `errlens what-if`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument
from errlens.errors import UnfitOption


@dataclass(frozen=True, kw_only=True)
class WhatIfOptions(RunArgument, OutputOptions):
    """Say what the metrics would be with other classes or labels.

    Classes may be merged or dropped, and labels mended: give at least one of --merge, --drop and
    --relabel. Nothing is predicted anew and nothing is written. The probability of a merged class
    is the sum of its classes'; an image whose predicted class was dropped goes to the best one
    left.

    Examples:
        errlens what-if runs/sample --merge Birman+Ragdoll
        errlens what-if runs/sample --drop Birman --fail-under top1=0.60
    """

    PANEL = Panel.CHANGES

    merge: Annotated[
        list[str] | None,
        typer.Option(metavar="A+B", help="Make one class of two or more."),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="C", help="Do without a class and its images."),
    ] = None
    relabel: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Mend labels: a csv file with the columns label and row, or label and sample_id.",
        ),
    ] = None

    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            rich_help_panel=Panel.GATES,
            help="Say whether a gate of errlens check would pass: top1, macro_f1, n, recall:CLASS "
            "and others.",
        ),
    ] = None
    fail_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=X",
            rich_help_panel=Panel.GATES,
            help="The same for a metric that must not be more.",
        ),
    ] = None

    def __post_init__(self) -> None:
        if not (self.merge or self.drop or self.relabel):
            raise UnfitOption(
                "nothing is to be changed", hint="add --merge A+B, --drop C or --relabel FILE"
            )

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

    Classes are merged, dropped, or all but some left out; labels are mended. Nothing is predicted
    anew and nothing is written. The probability of a merged class is the sum of its classes'; an
    image whose predicted class was dropped goes to the best one left.

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
        typer.Option(
            metavar="C|FILE",
            help="Do without a class and its images, or without those listed in a file.",
        ),
    ] = None
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="C|FILE",
            help="Do with some classes: named, one a line of a file, in a csv file with "
            "class_name, or the class folders of a folder.",
        ),
    ] = None
    relabel: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Mend labels: a table with row,label or sample_id,label, or one that a command "
            "wrote, like worst.csv, with labels changed.",
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
        if not (self.merge or self.drop or self.only or self.relabel):
            raise UnfitOption(
                "nothing is to be changed",
                hint="add --merge A+B, --drop C, --only FILE or --relabel FILE",
            )

"""Options of `errlens report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.invocation import OpenOption, OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument, SelectOptions


@dataclass(frozen=True, kw_only=True)
class ReportOptions(RunArgument, SelectOptions, ImagesOption, OutputOptions, OpenOption):
    """Put all that is known of a run on one page, for any browser.

    The page is RUN/report.html and loads nothing from elsewhere. RUN/summary.md says the most
    important in a few lines. What other commands have not made yet is named with the command that
    does. With --select there is a page of its own about these images.

    Examples:
        errlens report runs/sample
        errlens report runs/sample --select worst:20
    """

    marks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.IMAGES,
            help="Show the marks of a colleague: marks.json, labels.csv or notes.yaml, as the page "
            "exports them.",
        ),
    ] = None

"""Options of `errlens network filters`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.choices import FilterScale
from errlens.commands.network.subject import SubjectOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class FiltersOptions(SubjectOptions, OutputOptions):
    r"""Judge filters: dead, alike, of which spatial frequencies.

    Of every convolution: how many filters are dead or repeat another one, how much of them is low,
    middle and high spatial frequency, and how much is finer than the stride keeps. Those of the
    first layer are drawn as images. What is suspicious is said. With a second network, both stand
    side by side.

    Examples:
        errlens network filters runs/sample
        errlens network filters runs/old runs/new
        errlens network filters --checkpoint best.pth --scale layer
    """

    PANEL = Panel.MODEL

    other: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN2|MODEL2",
            show_default="none",
            help="A second network, to hold against the first; the options below are not its.",
        ),
    ] = None
    scale: Annotated[
        FilterScale,
        typer.Option(
            rich_help_panel=Panel.PICTURES,
            help="What has a scale of its own in the picture of the first layer: each filter, or "
            "the layer.",
        ),
    ] = "filter"

"""Options of `errlens network layers`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.network.subject import SubjectOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class LayersOptions(SubjectOptions, OutputOptions):
    r"""List the layers of a network, and what each sees and costs.

    For each layer its type, the shape of its output, the stride and the receptive field in pixels
    of the input, parameters, multiply-adds of one image, the activation that follows, and which
    analyses it supports, found by trying. The names are those that --layer takes. No weights are
    fetched for a MODEL that is only named. Writes layers.csv.

    Examples:
        errlens network layers runs/sample
        errlens network layers resnet50 --depth 2
        errlens network layers --checkpoint best.pth --json
    """

    PANEL = Panel.MODEL

    depth: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.OUTPUT,
            show_default="all",
            help="Print only so many levels of the tree; layers.csv has all.",
        ),
    ] = None

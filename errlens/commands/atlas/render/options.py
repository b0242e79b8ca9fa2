"""Options of `errlens atlas render`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.atlas.options import MapOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument


@dataclass(frozen=True, kw_only=True)
class RenderOptions(RunArgument, MapOptions, OutputOptions):
    """Draw the atlas of a layer: all that it tells apart, on a map.

    Points that `errlens atlas collect` found are laid out so that those near one another are alike,
    and a grid is put over them. Each of its cells shows the patch of a photo that is most like the
    mean of its points, and says which class they speak for the most. Pictures and numbers go to
    RUN/atlas/LAYER/render.

    Examples:
        errlens atlas render runs/sample
        errlens atlas render runs/sample --layer layer4 --grid 20
        errlens atlas render runs/sample --opacity "great white shark"
        errlens atlas render runs/sample --layer layer4 --mark 3,7=baseball
    """

    PANEL = Panel.METHOD

    opacity: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            rich_help_panel=Panel.PICTURES,
            show_default="all alike",
            help="Draw cells the fainter the less they say about a class; those that speak against "
            "it have a blue frame.",
        ),
    ] = None

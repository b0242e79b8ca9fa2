"""Options of `errlens atlas collect`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument


@dataclass(frozen=True, kw_only=True)
class CollectOptions(RunArgument, ImagesOption, TrustOption, ComputeOptions, OutputOptions):
    """Collect what layers see at single places of photos.

    Of each image of the run a few places of a layer's map are drawn: the activations there, and
    what they add to the score of each class. These points are what an atlas is drawn from. They go
    to RUN/atlas/LAYER; several layers share one pass over the images.

    Examples:
        errlens atlas collect runs/sample
        errlens atlas collect runs/sample --layer blocks.2,blocks.4
        errlens atlas collect runs/large --per-image 1 --limit 20000
    """

    PANEL = Panel.METHOD

    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="the last with places",
            help="A layer with places; several share one pass over the images.",
        ),
    ] = None
    per_image: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            metavar="N",
            help="Places of each image; fewer where the map has no more. Its first and last row "
            "and column are left out.",
        ),
    ] = 4
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            show_default="all",
            help="At most so many images, of each class as many.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which places are drawn, and which images --limit keeps.",
        ),
    ] = 0

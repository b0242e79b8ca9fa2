"""Options of `errlens atlas class`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.atlas.options import MapOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument


@dataclass(frozen=True, kw_only=True)
class ClassOptions(RunArgument, MapOptions, OutputOptions):
    """Draw what a class relies on, and name the suspects.

    Of all points, those that speak for the class are laid out on a map of their own. A suspect is a
    cell that adds to the class, but more to another one: the baseball in the great white shark.
    Told are, too, the background that a class relies on, at which angles and scales one concept is
    seen, and kinds of photos that hardly share a concept. Pictures and numbers go to
    RUN/atlas/LAYER/class-NAME.

    Examples:
        errlens atlas class runs/sample cat
        errlens atlas class runs/sample cat dog --layer layer4
        errlens atlas class runs/sample cat --masks outlines.json
    """

    PANEL = Panel.METHOD

    classes: Annotated[
        list[str] | None,
        typer.Argument(metavar="CLASS...", help="What the atlases are of, one each."),
    ] = None
    grid: Annotated[
        int, typer.Option(min=2, max=40, metavar="N", help="Cells along each side of the map.")
    ] = 8
    min_density: Annotated[
        int, typer.Option(min=1, metavar="N", help="Points of a cell that is drawn, at least.")
    ] = 4
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Outlines of the objects (json), or mask images, white on black: tells how much "
            "of each cell is background.",
        ),
    ] = None

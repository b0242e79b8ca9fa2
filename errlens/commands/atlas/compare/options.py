"""Options of `errlens atlas compare`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.atlas.options import MapOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument


@dataclass(frozen=True, kw_only=True)
class ComparePairOptions(RunArgument, MapOptions, OutputOptions):
    """Show what tells two classes apart, and what they share.

    The points that speak the most for either class are laid out between the two: to the right what
    adds more to the first, to the left what adds more to the second, and from the top down what
    they show besides. Made for pairs that are taken for one another. Pictures and numbers go to
    RUN/atlas/LAYER/compare-A__B.

    Examples:
        errlens atlas compare runs/sample cat~dog
        errlens atlas compare runs/sample cat dog --layer layer4
        errlens atlas compare runs/sample --select pairs:3
    """

    PANEL = Panel.METHOD

    classes: Annotated[
        list[str] | None,
        typer.Argument(metavar="A~B...", help="Pairs of classes, or two names."),
    ] = None
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A~B|pairs:N",
            help="A pair, or the first pairs of errlens confusion; may be repeated.",
        ),
    ] = None
    grid: Annotated[
        int, typer.Option(min=2, max=40, metavar="N", help="Cells along each side of the map.")
    ] = 10
    min_density: Annotated[
        int, typer.Option(min=1, metavar="N", help="Points of a cell that is drawn, at least.")
    ] = 4

"""Options of `errlens network invariance`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.network.options import DrawnOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class InvarianceOptions(DrawnOptions, OutputOptions):
    """Show which transforms of photos move features and answers.

    Photos are moved, enlarged, turned, made lighter, blurred and compressed, at eleven sizes each,
    as they are fed to the network. Told is how far the features move at the first and the last
    layer, what becomes of the probability of the true class, which transform hurts most, and which
    class breaks first.

    Examples:
        errlens network invariance runs/sample
        errlens network invariance runs/sample --transform rotate,scale --limit 500
        errlens network invariance runs/sample --select worst:5
        errlens network invariance a.jpg b.jpg --model resnet50 --layer layer1,layer4
    """

    PANEL = Panel.METHOD

    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="the first with weights, and the last with places",
            help="A layer with places whose features are compared; may be repeated.",
        ),
    ] = None
    # Takes the place of a transform of the user's own, which a run knows.
    transform: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            show_default="all",
            help="Any of translate-x, translate-y, scale, rotate, brightness, contrast, blur, "
            "jpeg and hue.",
        ),
    ] = None

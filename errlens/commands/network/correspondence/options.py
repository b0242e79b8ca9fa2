"""Options of `errlens network correspondence`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.choices import Fill
from errlens.commands.network.options import DrawnOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class CorrespondenceOptions(DrawnOptions, OutputOptions):
    """Show whether a network has one idea of a part of all images.

    The same part, such as the head, is hidden in several images, and then regions as large
    elsewhere in the object. Where hiding the part changes the features of a layer more alike than
    hiding the regions does, the layer sees something in it that these images have in common.

    Examples:
        errlens network correspondence runs/sample --parts outlines.json
        errlens network correspondence runs/sample --parts parts.csv --masks masks
        errlens network correspondence runs/sample --parts parts.csv --select true:cat
        errlens network correspondence a.jpg b.jpg --parts parts.csv --model resnet50
    """

    PANEL = Panel.METHOD

    parts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default="none; it is needed",
            help="Where the parts are: a table with the columns path, part, x, y, width and "
            "height, in pixels of the photo as it is stored; or outlines (json) with a part_box "
            "each.",
        ),
    ] = None
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            show_default="none: regions may lie anywhere in the photo",
            help="Outlines of the objects (json), or mask images, white on black: regions that "
            "are hidden instead of the part lie inside.",
        ),
    ] = None
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="the first with weights, two between, the last with places, and "
            "penultimate: what the last layer is fed",
            help="A layer whose changes are compared; may be repeated.",
        ),
    ] = None
    random: Annotated[
        int,
        typer.Option(min=1, max=1000, metavar="N", help="Regions hidden elsewhere in each image."),
    ] = 20
    permutations: Annotated[
        int,
        typer.Option(min=19, max=1_000_000, metavar="N", help="Draws of the test against chance."),
    ] = 999
    value: Annotated[Fill, typer.Option(help="What hides a part, as that of errlens explain.")] = (
        "mean"
    )
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which images --limit draws, which regions are hidden, and all draws of "
            "the test.",
        ),
    ] = 0

"""Options of `errlens network evolution`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.network.options import UnitsOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument


@dataclass(frozen=True, kw_only=True)
class EvolutionOptions(
    RunArgument,
    ImagesOption,
    UnitsOptions,
    TrustOption,
    ComputeOptions,
    OutputOptions,
):
    """Show how a network came to see what it sees.

    For channels of its layers the image with the highest activation at each checkpoint, with a
    projection, and where that image changes; from which checkpoint on each layer is what it is at
    the last; accuracy, loss, calibration and confused pairs over the training. All on the same
    images of a run, whose preprocessing and classes count. Into RUN/network/evolution.

    Examples:
        errlens network evolution runs/sample --checkpoints 'checkpoints/epoch*.pth'
        errlens network evolution runs/sample --checkpoints checkpoints --images 2000
        errlens network evolution runs/sample --checkpoints 'e*.pth' --pair cat~dog
    """

    PANEL = Panel.METHOD

    checkpoints: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            rich_help_panel=Panel.MODEL,
            show_default="none; it is needed",
            help="The weights of one network over its training, in quotes: a pattern, or a folder. "
            "Numbers in names count as numbers; the last is the one to compare with.",
        ),
    ] = None
    channels: Annotated[
        str,
        typer.Option(
            metavar="random:N|strongest:N|LIST",
            help="Channels of each layer: drawn at random, those with the highest activations at "
            "the last checkpoint, or a list such as 3,14,47. They count from 0.",
        ),
    ] = "random:8"
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A~B",
            rich_help_panel=Panel.CHECKS,
            show_default="the three most confused of the run",
            help="Two classes whose parting is watched.",
        ),
    ] = None
    images: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Look at so many images of the run, each class with its share; of a run with "
            "fewer, at all.",
        ),
    ] = 500
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which channels and which images are drawn.",
        ),
    ] = 0
    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            rich_help_panel=Panel.OUTPUT,
            show_default="RUN/network/evolution",
            help="Where the files go.",
        ),
    ] = None

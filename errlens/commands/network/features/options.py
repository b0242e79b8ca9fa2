"""Options of `errlens network features`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.network.options import UnitsOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument


@dataclass(frozen=True, kw_only=True)
class ChannelOptions(UnitsOptions):
    """Which channels are looked at, and what is shown of each."""

    PANEL = Panel.METHOD

    channels: Annotated[
        str,
        typer.Option(
            metavar="random:N|strongest:N|LIST",
            help="Channels of each layer: drawn at random, those with the highest activations, or "
            "a list such as 3,14,47. They count from 0.",
        ),
    ] = "random:16"
    top: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="Images of each channel.")
    ] = 9


@dataclass(frozen=True, kw_only=True)
class ConfusionOptions:
    """Which channels tell two classes apart, and which of them cause errors."""

    PANEL = Panel.CHECKS

    discriminate: Annotated[
        str | None,
        typer.Option(
            metavar="A~B",
            help="Rank channels by how differently they fire on two classes, on images of one "
            "taken for the other and on right ones, with tests.",
        ),
    ] = None
    ablate: Annotated[
        bool,
        typer.Option(
            "--ablate",
            help="With --discriminate: silence the ten strongest suspects one by one, and count "
            "over the run which errors go and which right answers break.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class FeaturesOptions(
    RunArgument,
    ImagesOption,
    ChannelOptions,
    ConfusionOptions,
    TrustOption,
    ComputeOptions,
    OutputOptions,
):
    """Show what channels answer to, in the images of a run.

    For each channel the images with its highest activations, one place an image, cropped to what
    the unit sees, beside a projection of the unit back to the pixels; with the classes of these
    images. A sheet for each layer, one with all layers, and their numbers go to
    RUN/network/features.

    Examples:
        errlens network features runs/sample
        errlens network features runs/sample --layer blocks.2 --channels strongest:16
        errlens network features runs/sample --layer blocks.4 --channels 3,14,47
        errlens network features runs/sample --discriminate cat~dog --ablate
    """

    PANEL = Panel.METHOD

    save_projections: Annotated[
        bool,
        typer.Option(
            "--save-projections",
            rich_help_panel=Panel.OUTPUT,
            help="Write also the projections of whole inputs, in raw units, as npz.",
        ),
    ] = False
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", rich_help_panel=Panel.RUN, help="Decides which channels are drawn."
        ),
    ] = 0

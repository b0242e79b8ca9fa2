"""Options of `errlens network activations`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from errlens.choices import Upsampling
from errlens.commands.network.options import ImagesOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel

STRONGEST = 3  # channels shown where none was named


@dataclass(frozen=True, kw_only=True)
class LookedAtOptions:
    """Which layer and channels are looked at, and where on the photo."""

    PANEL = Panel.METHOD

    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the last with places",
            help="The layer to look at.",
        ),
    ] = None
    activation: Annotated[
        Literal["before", "after", "both"] | None,
        typer.Option(
            show_default="what the layer itself puts out",
            help="Before or after the activation of the layer (ReLU and the like), or both side by "
            "side.",
        ),
    ] = None
    call: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default="the last",
            help="Which run of a layer that runs several times, counted from 1.",
        ),
    ] = None
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N,N",
            help="Channels to show at the size of the image, like 14,47 or 0-7; counted from 0.",
        ),
    ] = None
    strongest: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            show_default=f"{STRONGEST}, or none with --channel",
            help="Show also the K strongest channels, by their largest value.",
        ),
    ] = None
    signed: Annotated[
        bool,
        typer.Option(
            "--signed",
            help="Let values below zero count as much: strongest is furthest from zero, and "
            "colours are blue and red.",
        ),
    ] = False
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=X,Y,W,H",
            help="A box on the photo, in its pixels: activation inside and outside. Given twice "
            "under one name, the second is on the second photo.",
        ),
    ] = None
    input_size: Annotated[
        str | None,
        typer.Option(
            metavar="N|HxW",
            show_default="the model's",
            help="Feed the image at another size: a larger one gives finer maps, of a size that "
            "the network has not learnt.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class LooksOptions:
    """How pictures look."""

    PANEL = Panel.PICTURES

    scale: Annotated[
        Literal["tensor", "channel", "shared"] | None,
        typer.Option(
            show_default="tensor; shared where there is something to compare",
            help="What has a scale of its own: each image, each channel, or nothing.",
        ),
    ] = None
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            show_default="about square",
            help="How the channels are laid out.",
        ),
    ] = None
    tile: Annotated[
        int, typer.Option(min=4, max=512, metavar="N", help="Pixels a channel has in the grid.")
    ] = 64
    upsampling: Annotated[
        Upsampling, typer.Option(help="How a coarse map is enlarged to the image.")
    ] = "bilinear"


@dataclass(frozen=True, kw_only=True)
class ActivationsOptions(LookedAtOptions, LooksOptions, ImagesOptions, OutputOptions):
    r"""Show what channels of a layer respond to in a photo or two.

    All channels in a grid, white where they fire most; the strongest, or those named, as large as
    the image and over the photo; of the first layer also their filters. Numbers of every channel,
    and the maps, are written beside.

    Examples:
        errlens network activations runs/sample --select worst:1 --layer blocks.2.0
        errlens network activations photo.jpg --model resnet50 --layer bn1 \
            --activation both
        errlens network activations open.jpg closed.jpg --model resnet50 \
            --layer layer3 --channel 14,47 --box eye=80,60,30,20
    """

    PANEL = Panel.METHOD

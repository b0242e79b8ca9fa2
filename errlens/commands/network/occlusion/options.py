"""Options of `errlens network occlusion`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.choices import Fill, Projection
from errlens.commands.network.options import ImagesOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions
from errlens.commands.options.panels import Panel

WORST = 3  # errors of a run that are taken where nothing was selected


@dataclass(frozen=True, kw_only=True)
class SquareOptions:
    """What hides a part of the image, and what is followed meanwhile."""

    PANEL = Panel.METHOD

    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the last with places",
            help="The layer whose map is followed.",
        ),
    ] = None
    channel: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            show_default="the one that fires most in the image",
            help="The map of the layer, counted from 0.",
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            show_default="true, or predicted where there is no label",
            help="Whose probability is followed: true, predicted, second or a class.",
        ),
    ] = None
    mask: Annotated[
        str,
        typer.Option(
            metavar="X%|N",
            help="Side of the square that hides: a share of the image's, or pixels.",
        ),
    ] = "20%"
    stride: Annotated[
        str | None,
        typer.Option(
            metavar="X%|N",
            show_default="half a mask",
            help="How far it goes from position to position.",
        ),
    ] = None
    value: Annotated[Fill, typer.Option(help="What the square is filled with.")] = "mean"
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Outlines of the objects (json), or mask images, white on black: tells whether "
            "the evidence lies on the object or its surroundings.",
        ),
    ] = None
    projection: Annotated[
        Projection | None,
        typer.Option(
            show_default="the first that fits the network",
            help="How the strongest unit is carried back to the pixels.",
        ),
    ] = None
    others: Annotated[
        int,
        typer.Option(
            min=0,
            max=3,
            metavar="N",
            help="Other images of the run in which the map fires most, to show beside it.",
        ),
    ] = 3


@dataclass(frozen=True, kw_only=True)
class OcclusionOptions(SquareOptions, ImagesOptions, ComputeOptions, OutputOptions):
    """Hide one part of a photo after the other, and see what falls.

    A square slides over each photo. By its position: how strong one map of a layer still is, how
    probable the class, and what is predicted instead; beside them a projection of what the map
    answers to. With outlines it is told whether the class's evidence lies on the object or on the
    context. Of a run without --select, the three worst errors are taken.

    Examples:
        errlens network occlusion runs/sample --select worst:3
        errlens network occlusion runs/sample --select worst:3 --masks outlines.json
        errlens network occlusion photo.jpg --model resnet50 --layer layer4 --mask 40
    """

    PANEL = Panel.METHOD

    seed: Annotated[
        int,
        typer.Option(
            metavar="N", rich_help_panel=Panel.RUN, help="Decides the noise of --value noise."
        ),
    ] = 0

"""Options of `errlens network embed`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.choices import MapMethod
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RankOption, RunArgument


@dataclass(frozen=True, kw_only=True)
class EmbedOptions(
    RunArgument, ImagesOption, RankOption, TrustOption, ComputeOptions, OutputOptions
):
    """Map images by their features, with the neighbours of errors.

    Images that the network finds alike lie near one another: in whose midst do the errors lie? Of
    each error, the right images that are nearest to it, and with --train the training images, say
    which label they argue for. How far the map can be believed stands beside it. Pictures and
    numbers go to RUN/network/embed.

    Examples:
        errlens network embed runs/sample
        errlens network embed runs/sample --train data/train
        errlens network embed runs/sample --method tsne
    """

    PANEL = Panel.METHOD

    method: Annotated[
        MapMethod,
        typer.Option(
            help="How the map is drawn: principal components, or t-SNE, by openTSNE: "
            "the extra `map` of errlens.",
        ),
    ] = "pca"
    neighbours: Annotated[
        int,
        typer.Option(min=1, max=100, metavar="N", help="How many neighbours of each error."),
    ] = 5
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=Panel.IMAGES,
            show_default="none",
            help="The images that the model was trained on, class folders or a manifest: find "
            "neighbours among them, too.",
        ),
    ] = None
    top: Annotated[
        int,
        typer.Option(
            min=1,
            max=50,
            metavar="N",
            rich_help_panel=Panel.PICTURES,
            help="Errors that are shown with their neighbours, the worst first.",
        ),
    ] = 8
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which 2,000 images the map is judged by, where there are more.",
        ),
    ] = 0

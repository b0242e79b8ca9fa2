"""Options of `errlens atlas paste`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.network.options import ImagesOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions
from errlens.commands.options.panels import Panel

LIMIT = 30  # images of a run where no other number is asked for
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class PatchOptions:
    """Which patch is pasted, how large and where, and into images of which class."""

    PANEL = Panel.METHOD

    patch: Annotated[
        str,
        typer.Option(
            metavar="FILE|auto",
            help="An image, whose transparent parts leave the photo as it is; auto cuts the "
            "suspects of errlens atlas class out of their photos.",
        ),
    ] = AUTO
    to: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="The class that the patch is suspected of raising."),
    ] = None
    from_class: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="CLASS|all",
            show_default="all but --to",
            help="Paste into images of this class that are right; may be repeated.",
        ),
    ] = None
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the last with suspects",
            help="The layer whose suspects --patch auto takes.",
        ),
    ] = None
    suspects: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many suspects --patch auto tests.")
    ] = 1
    sizes: Annotated[
        str,
        typer.Option(
            "--sizes",
            "--size",
            metavar="X,X|A:B:STEP",
            help="Longer side of the patch, as a share of the shorter side of the input.",
        ),
    ] = "0.1,0.2,0.3,0.5"
    positions: Annotated[
        str,
        typer.Option(
            "--positions",
            "--at",
            metavar="WHERE|X,Y",
            help="Where: corners, center, grid (of nine), or shares of the way across and down "
            "that the patch can go: 0,0 is the upper left corner, 1,1 the lower right one.",
        ),
    ] = "corners"
    controls: Annotated[
        int,
        typer.Option(
            min=3,
            max=999,
            metavar="N",
            help="Crops of images of other classes to compare with; 99 for each suspect make the "
            "test exact whatever crops do.",
        ),
    ] = 20


@dataclass(frozen=True, kw_only=True)
class PasteOptions(PatchOptions, ImagesOptions, ComputeOptions, OutputOptions):
    """Paste a patch into photos, and test whether it misleads.

    What a class atlas makes one suspect, as a baseball that makes sharks of whales, is pasted into
    images of a run at several sizes and places. The same is done with noise of its colours and with
    crops of other classes: a patch is confirmed only if it raises the class by more than all of
    these do. Of photos, what is predicted before and after is drawn.

    Examples:
        errlens atlas paste runs/sample --to cat --from dog --patch ball.png
        errlens atlas paste runs/sample --to cat --suspects 5
        errlens atlas paste photo.jpg --patch ball.png --at 0.8,0.2 --model resnet50
    """

    PANEL = Panel.METHOD

    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            rich_help_panel=Panel.OUTPUT,
            show_default="RUN/atlas of a run, else atlas",
            help="Where the files go.",
        ),
    ] = None
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Paste into at most so many images of a run, of each class as many.",
        ),
    ] = LIMIT
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which images and crops are drawn, and the noise.",
        ),
    ] = 0

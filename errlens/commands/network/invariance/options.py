"""Options of `errlens network invariance`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, ModelOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, SelectOptions

SAMPLE = 200  # images of a run where none were selected


@dataclass(frozen=True, kw_only=True)
class MovedOptions:
    """Which images are transformed, how, and at which layers features are compared."""

    PANEL = Panel.METHOD

    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN|IMAGE...",
            show_default="the newest run below runs/",
            help="A run, of which --select picks images or --limit draws some; or photos, after "
            "the run whose model sees them or with --model or --checkpoint.",
        ),
    ] = None
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="the first with weights, and the last with places",
            help="A layer with places whose features are compared; may be repeated.",
        ),
    ] = None
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            show_default=f"{SAMPLE}, or all of --select",
            help="At most so many images of a run, of each class as many.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class MovedFileOptions:
    """How photos are read, and where what is made of them goes."""

    PANEL = Panel.OUTPUT

    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            show_default="RUN/network, or network",
            help="Where the folder invariance is written.",
        ),
    ] = None
    max_file_mb: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            show_default="as the run, else 500",
            help="Read no image file of more megabytes than this.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class InvarianceOptions(
    MovedOptions,
    SelectOptions,
    ImagesOption,
    MovedFileOptions,
    ModelOptions,
    TrustOption,
    ComputeOptions,
    OutputOptions,
):
    """Show which transforms of photos move features and answers.

    Photos are moved, enlarged, turned, made lighter, blurred and compressed, at eleven sizes each,
    as they are fed to the network. Told is how far the features move at the first and the last
    layer, what becomes of the probability of the true class, which transform hurts most, and which
    class breaks first. With --severity: how many errors noise, blur, weather and digital faults
    make.

    Examples:
        errlens network invariance runs/sample
        errlens network invariance runs/sample --transform rotate,scale --limit 500
        errlens network invariance runs/sample --severity all
        errlens network invariance runs/sample --select worst:5
        errlens network invariance a.jpg b.jpg --model resnet50 --layer layer1,layer4
    """

    PANEL = Panel.METHOD

    # Takes the place of a transform of the user's own, which a run knows.
    transform: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            show_default="all",
            rich_help_panel=Panel.METHOD,
            help="Any of translate-x, translate-y, scale, rotate, brightness, contrast, blur, "
            "jpeg and hue; with --severity any corruptions, such as fog.",
        ),
    ] = None
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="all|1,3,5",
            show_default="transforms, no corruptions",
            rich_help_panel=Panel.METHOD,
            help="Corrupt photos as ImageNet-C does, at severities of 1 to 5.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides which images --limit draws, and the noise of --severity.",
        ),
    ] = 0

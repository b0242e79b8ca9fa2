"""Options of `errlens diagnose`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from errlens.commands.options.budget import TimeOption
from errlens.commands.options.invocation import OutputOptions, OverwriteOption
from errlens.commands.options.model import DeviceOption, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument

MOST_ASKED = 500


@dataclass(frozen=True, kw_only=True)
class DiagnoseOptions(
    RunArgument,
    ImagesOption,
    TimeOption,
    DeviceOption,
    TrustOption,
    OutputOptions,
    OverwriteOption,
):
    """Say why images are wrong, and what would mend it.

    Looks at every image (dark, blurred, turned, bordered, ...), at the further columns of the
    manifest, for wrong labels, duplicates and marks that images share. Where the run has a model,
    asks it again about images that were turned, cropped, sharpened or covered in part. What is
    found is tested, ranked by the errors it explains, and written to RUN/diagnosis; finding:N
    selects its images.

    Examples:
        errlens diagnose runs/sample
        errlens diagnose runs/sample --no-model
        errlens diagnose runs/sample --train data/train
    """

    PANEL = Panel.CHECKS

    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model", help="Do not ask the model again: faster, and needs no weights."
        ),
    ] = False
    top: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Ask the model about so many errors at most, and as many right images (40 at "
            "least).",
        ),
    ] = MOST_ASKED
    time_budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            rich_help_panel=Panel.RUN,
            show_default="none",
            help="Ask the model no longer than this: 90s, 5m, 1h. What there is time for is a fair "
            "sample.",
        ),
    ] = None
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The images that the model was trained on: class folders or a manifest. Which of "
            "those evaluated are among them?",
        ),
    ] = None
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Outlines of the objects, as for errlens explain: is the evidence on them?",
        ),
    ] = None
    export: Annotated[
        Literal["label-studio", "fiftyone"] | None,
        typer.Option(
            rich_help_panel=Panel.OUTPUT,
            help="Write the labels in doubt also as this tool takes them in.",
        ),
    ] = None
    cost: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=X",
            show_default="1 each",
            help="Of two classes: what an error on an image of this class costs, to find the best "
            "threshold.",
        ),
    ] = None
    no_figures: Annotated[
        bool,
        typer.Option("--no-figures", rich_help_panel=Panel.PICTURES, help="Write tables alone."),
    ] = False
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.RUN,
            show_default="all cores",
            help="How many images are read at once.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", rich_help_panel=Panel.RUN, help="Decides what is drawn at random."
        ),
    ] = 0

"""Options of `errlens misclassified`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument, SelectOptions

MOST_TILES = 400  # matplotlib draws no picture of more than 65,535 pixels a side


@dataclass(frozen=True, kw_only=True)
class MisclassifiedOptions(RunArgument, SelectOptions, ImagesOption, OutputOptions):
    """Show the images that are wrong, the worst first.

    Galleries have them beside images of the class they were taken for. Tables and galleries go to
    RUN/misclassified. `--select row:N` alone tells all about one image.

    Examples:
        errlens misclassified runs/sample
        errlens misclassified runs/sample --select worst:5 --as-fed
    """

    PANEL = Panel.OUTPUT

    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            show_default="all",
            help="Only the first N errors in the table and, unless something is selected, in all "
            "else.",
        ),
    ] = None
    tiles: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_TILES,
            metavar="N",
            rich_help_panel=Panel.PICTURES,
            help="How many images a gallery has; at least one in each column.",
        ),
    ] = 60
    as_fed: Annotated[
        bool,
        typer.Option(
            "--as-fed",
            rich_help_panel=Panel.PICTURES,
            help="Show beside each image what the network saw of it.",
        ),
    ] = False
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=Panel.PICTURES,
            help="Show also training images of the classes concerned.",
        ),
    ] = None
    notes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your remarks: a YAML file with observation and idea for A~B, group:N or row:N, "
            "or a table like worst.csv with such columns.",
        ),
    ] = None
    copy: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the wrong images to DIR/TRUE/PREDICTED."),
    ] = None
    by_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A further column of the manifest, such as a camera: what is wrong the same way "
            "in several images of one value, more often than chance?",
        ),
    ] = None
    format: Annotated[
        Literal["parquet", "json"] | None,
        typer.Option(help="Write the table of errors in this format besides csv."),
    ] = None
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Write tables alone.")] = False

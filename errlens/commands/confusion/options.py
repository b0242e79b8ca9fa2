"""Options of `errlens confusion`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from errlens.choices import Normalization, Order
from errlens.commands.options.data import given_superclasses
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import RunArgument

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames, Superclasses
    from errlens.run.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class ConfusionOptions(RunArgument, OutputOptions):
    """Find the classes that a model mixes up.

    They come in pairs, in groups, and as errors that leave their own kind, the superclass. A pair
    is mutually confused if each class is taken for the other, more often than chance and the errors
    of its relatives explain. Tables and pictures go to RUN/confusion.

    Examples:
        errlens confusion runs/sample
        errlens confusion runs/sample --by superclass --normalize true
    """

    PANEL = Panel.OUTPUT

    superclasses: Annotated[
        Path | dict[str, str] | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.DATA,
            show_default="the run's",
            help="A csv file with the columns class_name and superclass.",
        ),
    ] = None
    by: Annotated[
        Literal["superclass"] | None,
        typer.Option(help="Show the pairs of each superclass, and draw each by itself."),
    ] = None
    soft: Annotated[
        bool,
        typer.Option(
            "--soft",
            help="Show also the mean probability of each other class; for few images a class.",
        ),
    ] = False
    expected: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            rich_help_panel=Panel.DATA,
            help="Warn of classes that do not have this many images.",
        ),
    ] = None
    normalize: Annotated[
        Normalization,
        typer.Option(
            rich_help_panel=Panel.PICTURES,
            help="What the matrix shows: counts, or shares of the true or the predicted class.",
        ),
    ] = "none"
    order: Annotated[
        Order | None,
        typer.Option(
            rich_help_panel=Panel.PICTURES,
            show_default="superclass where known, else cluster",
            help="In which order the matrix has the classes.",
        ),
    ] = None
    top: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many rows of each table to print.")
    ] = 10
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Write tables alone.")] = False

    def read_superclasses(self, run: "RunFolder", classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the file, or those the run was made with."""
        return given_superclasses(self.superclasses, classes) or run.info.superclasses

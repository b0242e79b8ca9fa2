"""Options of `errlens confusion`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from errlens.choices import Normalization, Order
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.selecting import RunArgument

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames, Superclasses
    from errlens.run.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class ConfusionOptions(RunArgument, OutputOptions):
    """Find the classes a model mixes up: in pairs, in groups, and beyond their own kind.

    A pair is mutually confused if each class is taken for the other, more often than chance and the
    errors of its relatives explain. Tables and pictures go to RUN/confusion.
    """

    superclasses: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A csv file with class_name,superclass.  [default: the run's]"
        ),
    ] = None
    by: Annotated[
        Literal["superclass"] | None,
        typer.Option(help="Show the pairs of each superclass, and draw each by itself."),
    ] = None
    soft: Annotated[
        bool,
        typer.Option(
            "--soft", help="Also the mean probability of each other class; for few images a class."
        ),
    ] = False
    expected: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Images each class should have: warn if not."),
    ] = None
    normalize: Annotated[
        Normalization,
        typer.Option(help="Draw counts, or shares of the true or the predicted class."),
    ] = "none"
    order: Annotated[
        Order | None,
        typer.Option(
            help="Order of the classes drawn.  [default: superclass if known, or cluster]"
        ),
    ] = None
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of each table shown.")] = 10
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Tables only.")] = False

    def read_superclasses(self, run: "RunFolder", classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the file, or those the run was made with."""
        from errlens.classes.files import read_superclasses

        if self.superclasses:
            return read_superclasses(self.superclasses, classes)
        return run.info.superclasses

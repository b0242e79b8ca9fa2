"""Options of an invocation as a whole: what it prints, what it overwrites, what configures it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from errlens.terminal import Screen


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What belongs to an invocation as a whole, not to one block of a configuration."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More remarks.")] = False

    def screen(self) -> "Screen":
        """Return the terminal as these options want it used."""
        from errlens.terminal import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose, as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class OverwriteOption:
    """For commands that go on with what is there."""

    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start afresh, whatever the run folder holds.")
    ] = False


# What belongs to one invocation, not to what it is about.
INVOCATION = (OutputOptions, OverwriteOption)


@dataclass(frozen=True, kw_only=True)
class ConfigArguments:
    """Which configuration, and what of it is set otherwise."""

    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML configuration.")]
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="BLOCK.KEY=VALUE",
            help="A setting that wins over the file; repeatable.",
        ),
    ] = None

"""Options of an invocation as a whole: what it prints, what it overwrites, what configures it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.panels import Panel

if TYPE_CHECKING:
    from errlens.terminal import Screen


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What belongs to an invocation as a whole, not to one block of a configuration."""

    PANEL = Panel.COMMON

    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of tables.")
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")
    ] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print more remarks.")] = False

    def screen(self) -> "Screen":
        """Return the terminal as these options want it used."""
        from errlens.terminal import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose, as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class OverwriteOption:
    """Whether to go on with what a run folder holds, or to start afresh."""

    PANEL = Panel.COMMON

    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make anew what the folder holds already.")
    ] = False


# Options that a configuration cannot set, and that a suggested command does not repeat.
INVOCATION = (OutputOptions, OverwriteOption)


@dataclass(frozen=True, kw_only=True)
class ConfigArguments:
    """Which configuration, and which of its settings are replaced."""

    PANEL = Panel.CONFIGURATION

    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG", help="A YAML file: the run folder, and a block for each command."
        ),
    ]
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="BLOCK.KEY=VALUE",
            help="A setting that wins over the file.",
        ),
    ] = None

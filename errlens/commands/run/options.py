"""Options of `errlens run`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.options.invocation import (
    ConfigArguments,
    OpenOption,
    OutputOptions,
    OverwriteOption,
)


@dataclass(frozen=True, kw_only=True)
class RunOptions(ConfigArguments, OutputOptions, OverwriteOption, OpenOption):
    """Run the commands that CONFIG has a block for, one after the other.

    The file names the run folder (`out`) and, block by block, the options of each command.
    Relative paths in it start at its own folder.
    """

    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Print the whole configuration, defaults included; run nothing."
        ),
    ] = False

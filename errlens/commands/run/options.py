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
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class RunOptions(ConfigArguments, OutputOptions, OverwriteOption, OpenOption):
    """Run the commands of a configuration, one after the other.

    CONFIG names the run folder (`out`) and, block by block, the options of each command. Relative
    paths in it start at its own folder.

    Examples:
        errlens run configs/sample.yaml
        errlens run configs/sample.yaml --set out=runs/other --set explain.top=2
    """

    PANEL = Panel.CONFIGURATION

    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Print the whole configuration, defaults included; run nothing."
        ),
    ] = False

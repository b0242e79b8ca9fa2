"""`errlens run`: a chain of commands from one configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from errlens.commands.check.command import CheckOptions, check
from errlens.commands.compare.command import CompareOptions, compare
from errlens.commands.confusion.command import ConfusionOptions, confusion
from errlens.commands.evaluate.command import EvaluateOptions, evaluate
from errlens.commands.explain.command import explain
from errlens.commands.explain.options import ExplainOptions
from errlens.commands.import_.command import ImportOptions, import_predictions
from errlens.commands.misclassified.command import MisclassifiedOptions, misclassified
from errlens.commands.network.command import ProbeOptions, probe
from errlens.commands.options.groups import (
    INVOCATION,
    ConfigArguments,
    OutputOptions,
    OverwriteOption,
)
from errlens.commands.report.command import ReportOptions, report
from errlens.errors import BadConfig, GateFailed

if TYPE_CHECKING:
    from errlens.commands.options.config import Config

# The blocks a configuration may hold, in the order in which they run.
BLOCKS: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
    "network_probe": (ProbeOptions, probe),
    "evaluate": (EvaluateOptions, evaluate),
    "import": (ImportOptions, import_predictions),
    "confusion": (ConfusionOptions, confusion),
    "misclassified": (MisclassifiedOptions, misclassified),
    "explain": (ExplainOptions, explain),
    "compare": (CompareOptions, compare),
    "check": (CheckOptions, check),
    "report": (ReportOptions, report),
}


@dataclass(frozen=True, kw_only=True)
class RunOptions(ConfigArguments, OutputOptions, OverwriteOption):
    """Options of `errlens run`."""

    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Print the whole configuration, defaults included; run nothing."
        ),
    ] = False


def run(options: RunOptions) -> None:
    """Run the commands that CONFIG has a block for, one after the other.

    The file names the run folder (`out`) and, block by block, the options of each command.
    Relative paths in it start at its own folder.
    """
    config = read_blocks(options)
    if options.print_config:
        from errlens.commands.options.config import config_text

        typer.echo(config_text(config, outside_blocks=_invocation(options)), nl=False)
        return
    failed: GateFailed | None = None
    for number, name in enumerate(config.blocks):
        if number and not (options.quiet or options.json):
            typer.echo()
        _, command = BLOCKS[name]
        try:
            command(completed_block(config, name, _invocation(options)))
        except GateFailed as error:  # what comes after it is wanted then more than ever
            failed = error
    if failed:
        raise failed


def read_blocks(options: ConfigArguments) -> "Config":
    """Read a configuration, with the options of each command it has a block for."""
    from errlens.commands.options.config import read_config

    config = read_config(
        options.config,
        {name: block for name, (block, _) in BLOCKS.items()},
        overrides=options.set or (),
        outside_blocks={"out", *(one.name for kind in INVOCATION for one in fields(kind))},
    )
    if {"evaluate", "import"} <= config.blocks.keys():
        raise BadConfig(f"{options.config}: 'evaluate' and 'import' both make the run; keep one")
    return config


def completed_block(config: "Config", name: str, shared: Mapping[str, Any]) -> Any:
    """Return a block's options with the run folder, and with what the invocation asks for."""
    block = config.blocks[name]
    known = {one.name for one in fields(block)}
    if "run" in known and block.run is None:
        shared = {**shared, "run": config.out}
    if "runs" in known and len(block.runs) == 1:
        shared = {**shared, "runs": [*block.runs, config.out]}  # the old run alone is named
    shared = {**shared, "out": config.out}
    return replace(block, **{key: value for key, value in shared.items() if key in known})


def _invocation(options: RunOptions) -> dict[str, Any]:
    """Return the options that no block may set, because the whole invocation does."""
    return {one.name: getattr(options, one.name) for kind in INVOCATION for one in fields(kind)}

"""`errlens run`: a chain of commands from one configuration."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from errlens.commands._explain_options import ExplainOptions
from errlens.commands._options import INVOCATION, OutputOptions, OverwriteOption
from errlens.commands.check import CheckOptions, check
from errlens.commands.compare import CompareOptions, compare
from errlens.commands.confusion import ConfusionOptions, confusion
from errlens.commands.evaluate import EvaluateOptions, evaluate
from errlens.commands.explain import explain
from errlens.commands.import_ import ImportOptions, import_predictions
from errlens.commands.misclassified import MisclassifiedOptions, misclassified
from errlens.errors import BadConfig, GateFailed

# The blocks a configuration may hold, in the order in which they run.
BLOCKS: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
    "evaluate": (EvaluateOptions, evaluate),
    "import": (ImportOptions, import_predictions),
    "confusion": (ConfusionOptions, confusion),
    "misclassified": (MisclassifiedOptions, misclassified),
    "explain": (ExplainOptions, explain),
    "compare": (CompareOptions, compare),
    "check": (CheckOptions, check),
}


@dataclass(frozen=True, kw_only=True)
class RunOptions(OutputOptions, OverwriteOption):
    """Options of `errlens run`."""

    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML configuration.")]
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="BLOCK.KEY=VALUE",
            help="A setting that wins over the file; repeatable.",
        ),
    ] = None


def run(options: RunOptions) -> None:
    """Run the commands that CONFIG has a block for, one after the other.

    The file names the run folder (`out`) and, block by block, the options of each command.
    Relative paths in it start at its own folder.
    """
    from errlens.config import read_config

    shared = {
        one.name: getattr(options, one.name)
        for kind in INVOCATION
        for one in dataclasses.fields(kind)
    }
    config = read_config(
        options.config,
        {name: block for name, (block, _) in BLOCKS.items()},
        overrides=options.set or (),
        outside_blocks={"out", *shared},
    )
    if {"evaluate", "import"} <= config.blocks.keys():
        raise BadConfig(f"{options.config}: 'evaluate' and 'import' both make the run; keep one")
    failed: GateFailed | None = None
    for number, (name, block) in enumerate(config.blocks.items()):
        if number and not (options.quiet or options.json):
            typer.echo()
        _, command = BLOCKS[name]
        try:
            command(_completed(block, config.out, shared))
        except GateFailed as error:  # what comes after it is wanted then more than ever
            failed = error
    if failed:
        raise failed


def _completed(block: Any, out: Path, shared: Mapping[str, Any]) -> Any:
    """Return a block's options with the run folder, and with what the invocation asks for."""
    known = {one.name for one in dataclasses.fields(block)}
    if "run" in known and block.run is None:
        shared = {**shared, "run": out}
    if "runs" in known and len(block.runs) == 1:
        shared = {**shared, "runs": [*block.runs, out]}  # the old run alone is named
    return dataclasses.replace(
        block, **{name: value for name, value in {**shared, "out": out}.items() if name in known}
    )

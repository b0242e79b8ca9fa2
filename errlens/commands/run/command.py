"""`errlens run`: a chain of commands from one configuration."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

import typer

from errlens.commands.chain.steps import STEPS
from errlens.commands.chain.view import show_end
from errlens.commands.chain.walk import Walk
from errlens.commands.options.config import Config, config_text, read_config
from errlens.commands.options.invocation import INVOCATION, ConfigArguments
from errlens.commands.run.options import RunOptions
from errlens.errors import BadConfig, UnfitOption
from errlens.run.folder import RunFolder
from errlens.run.places import is_run

_OUTSIDE_BLOCKS: Final = [field.name for group in INVOCATION for field in fields(group)]


def run(options: RunOptions) -> None:
    """Run the commands that CONFIG has a block for, one after the other."""
    config = read_blocks(options)
    if options.print_config:
        typer.echo(config_text(config, outside_blocks=_invocation(options)), nl=False)
        return
    if options.open and "report" not in config.blocks:
        raise UnfitOption(
            f"--open: {str(options.config)!r} makes no page", hint="add the block 'report: {}'"
        )
    screen = options.screen()
    walk = Walk(screen)
    for name in config.blocks:
        walk.take(name, completed_block(config, name, _invocation(options)))
    show_end(screen, "run", walk.end(RunFolder(config.out)))
    walk.raise_failure()


def read_blocks(options: ConfigArguments) -> Config:
    """Read a configuration, with the options of each command it has a block for."""
    config = read_config(
        options.config,
        {name: command.options for name, command in STEPS.items()},
        overrides=options.set or (),
        outside_blocks={"out", *_OUTSIDE_BLOCKS},
    )
    if {"evaluate", "import"} <= config.blocks.keys():
        raise BadConfig(f"{options.config}: 'evaluate' and 'import' both make the run; keep one")
    return config


def completed_block(config: Config, name: str, shared: Mapping[str, Any]) -> Any:
    """Return a block's options with the run folder, and with what the invocation asks for."""
    block = config.blocks[name]
    known = {field.name for field in fields(block)}
    if "run" in known:
        shared = {**shared, "run": block.run or config.out}
    elif "subject" in known and not (block.subject or block.model or block.checkpoint):
        shared = {**shared, "subject": str(config.out)}
    elif "images" in known and not (block.model or block.checkpoint):
        named = block.images or []
        if not (named and is_run(named[0])):  # photos, as the network of the run sees them
            shared = {**shared, "images": [config.out, *named]}
    if "runs" in known and len(block.runs) == 1:
        shared = {**shared, "runs": [*block.runs, config.out]}  # the old run alone is named
    shared = {**shared, "out": config.out}
    return replace(block, **{key: value for key, value in shared.items() if key in known})


def _invocation(options: RunOptions) -> dict[str, Any]:
    """Return the options that no block may set, because the whole invocation does."""
    return {name: getattr(options, name) for name in _OUTSIDE_BLOCKS}

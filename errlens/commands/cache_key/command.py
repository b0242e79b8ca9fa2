"""`errlens cache-key`: which run a configuration makes, before it is made."""

import typer

from errlens.commands.cache_key.options import CacheKeyOptions
from errlens.commands.import_.command import prepare as prepare_import
from errlens.commands.options.config import Config
from errlens.commands.run.command import read_blocks
from errlens.commands.showing import print_json
from errlens.errors import BadConfig, MissingInput
from errlens.run.identity import RunInfo
from errlens.terminal import Screen


def cache_key(options: CacheKeyOptions) -> None:
    """Print the run hash that CONFIG leads to, predicting nothing and writing nothing."""
    screen = options.screen()
    run_hash = planned_run(read_blocks(options), options, screen).run_hash
    if not options.json:
        typer.echo(run_hash)  # all that was asked for, be it quietly
    print_json(screen, "cache-key", run_hash=run_hash)


def planned_run(config: Config, options: CacheKeyOptions, screen: Screen) -> RunInfo:
    """Return what `run.json` would say.

    Raises:
        BadConfig: No block makes a run.
        MissingInput: The checkpoint is not there before another block has made it.
    """
    if (block := config.blocks.get("evaluate")) is not None:
        probe = config.blocks.get("network_probe")
        made = probe.save_head if probe else None
        if made is not None and made == block.checkpoint and not made.exists():
            error = MissingInput(block.checkpoint, what="checkpoint")
            error.hint = "the block 'network_probe' makes it: the key is known once that has run"
            raise error
        from errlens.commands.evaluate.work import prepare  # torch, which imports need not

        return prepare(block, screen).info
    if (block := config.blocks.get("import")) is not None:
        return prepare_import(block).info
    raise BadConfig(
        f"{options.config} makes no run", hint="it takes a block 'evaluate' or 'import'"
    )

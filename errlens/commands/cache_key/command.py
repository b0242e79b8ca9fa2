"""`errlens cache-key`: which run a configuration makes, before it is made."""

import typer

from errlens.commands.cache_key.options import CacheKeyOptions
from errlens.commands.import_.command import describe
from errlens.commands.options.config import Config
from errlens.commands.run.command import read_blocks
from errlens.data.samples import listed_samples
from errlens.errors import BadConfig, MissingInput
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.identity import RunInfo
from errlens.terminal import Screen


def cache_key(options: CacheKeyOptions) -> None:
    """Print the run hash that CONFIG leads to, predicting nothing and writing nothing."""
    screen = options.screen()
    info = _run_of(read_blocks(options), options, screen)
    if not options.json:
        typer.echo(info.run_hash)  # all that was asked for, be it quietly
    screen.json(
        {"schema_version": SCHEMA_VERSION, "command": "cache-key", "run_hash": info.run_hash}
    )


def _run_of(config: Config, options: CacheKeyOptions, screen: Screen) -> RunInfo:
    """Return what `run.json` would say."""
    if (block := config.blocks.get("evaluate")) is not None:
        probe = config.blocks.get("network_probe")
        if probe and probe.save_head == block.checkpoint and not block.checkpoint.exists():
            error = MissingInput(block.checkpoint, what="checkpoint")
            error.hint = "the block 'network_probe' makes it: the key is known once that has run"
            raise error
        from errlens.commands.evaluate.command import prepare  # torch, which imports need not

        return prepare(block, screen).info
    if (block := config.blocks.get("import")) is not None:
        table = block.read_predictions()
        samples = listed_samples(table.manifest, block.root or block.table.parent)
        return describe(block, table, samples, block.read_superclasses(table.classes))[0]
    raise BadConfig(
        f"{options.config} makes no run", hint="it takes a block 'evaluate' or 'import'"
    )

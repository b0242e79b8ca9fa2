"""Options of `errlens cache-key`."""

from dataclasses import dataclass

from errlens.commands.options.invocation import ConfigArguments, OutputOptions


@dataclass(frozen=True, kw_only=True)
class CacheKeyOptions(ConfigArguments, OutputOptions):
    """Print the run hash that CONFIG leads to, predicting nothing and writing nothing.

    It is that of `run.json` after `errlens run`: the same data, weights and settings give the same
    hash, and so the same predictions. A cache in CI may go by it.
    """

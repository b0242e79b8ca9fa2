"""Options of `errlens cache-key`."""

from dataclasses import dataclass

from errlens.commands.options.invocation import ConfigArguments, OutputOptions


@dataclass(frozen=True, kw_only=True)
class CacheKeyOptions(ConfigArguments, OutputOptions):
    """Print the hash of the run that a configuration leads to.

    Nothing is predicted or written. It is the hash in `run.json` after `errlens run`: the same
    data, weights and settings give the same hash, and so the same predictions. A cache in CI may
    go by it.

    Examples:
        errlens cache-key configs/sample.yaml
    """

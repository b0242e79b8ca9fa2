"""Which layers of an atlas a command works on."""

from collections.abc import Sequence

from errlens.analysis.atlas.collected import collected_layers
from errlens.commands.network.channels import layer_names
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.run.folder import RunFolder


def asked_layers(run: RunFolder, given: Sequence[str] | None) -> list[str]:
    """Return the layers that were named, each once, else all whose points were collected.

    Raises:
        NoResults: No points were collected.
    """
    names = layer_names(given) or collected_layers(run)
    if not names:
        raise NoResults(
            f"no points of {str(run.path)!r} were collected",
            command=shell_line(["errlens", "atlas", "collect", run.path]),
        )
    return names

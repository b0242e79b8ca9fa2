"""Options of `errlens network`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.data import DataOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, ModelOptions


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(DataOptions, ModelOptions, ComputeOptions, OutputOptions):
    """Fit a linear head to the classes of DATA, on the features of a network left as it is.

    FILE is the whole network with that head, for errlens evaluate --checkpoint. It records the
    architecture, the preprocessing and the names of the classes.
    """

    save_head: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Where the network with its new head goes: .safetensors."
        ),
    ]

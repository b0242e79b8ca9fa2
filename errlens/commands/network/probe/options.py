"""Options of `errlens network`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.data import DataOptions
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, ModelOptions
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(DataOptions, ModelOptions, ComputeOptions, OutputOptions):
    r"""Fit a head for other classes on a network left as it is.

    The head is linear, on the features of the network. FILE is the whole network with that head,
    for errlens evaluate --checkpoint. It records the architecture, the preprocessing and the names
    of the classes.

    Examples:
        errlens network probe photos --model resnet50 --save-head head.safetensors
        errlens network probe sample_data/digits/train --img-size 64 \
            --checkpoint sample_data/pets/tf_efficientnet_lite0.pets.safetensors \
            --save-head digits.safetensors
    """

    PANEL = Panel.OUTPUT

    save_head: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Where the network with its new head goes: .safetensors."
        ),
    ]

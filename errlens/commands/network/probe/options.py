"""Options of `errlens network`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.options.data import DataOptions, SuperclassesFile
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.model import ComputeOptions, ModelOptions, TrustOption
from errlens.commands.options.panels import Panel


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """Which layers are probed in place of fitting a head, and how."""

    PANEL = Panel.METHOD

    layers: Annotated[
        str | None,
        typer.Option(
            metavar="all|L,L...",
            help="Probe layers: the stages of the network and what its last layer is fed "
            "(penultimate), or those named.",
        ),
    ] = None
    per_class: Annotated[
        str | None,
        typer.Option(
            metavar="N,N...",
            help="Learning curves: accuracy after so many images of each class, over ten draws; "
            "of the penultimate layer, or of each of --layers.",
        ),
    ] = None
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A~B",
            show_default="of a run, its most confused pairs",
            help="With --layers: probe also for these two classes alone, and say at which layer "
            "they part.",
        ),
    ] = None
    folds: Annotated[
        int,
        typer.Option(min=2, max=100, metavar="N", help="Parts of the images held out in turn."),
    ] = 5
    superclasses: SuperclassesFile = None


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(
    DataOptions, LayerOptions, ModelOptions, TrustOption, ComputeOptions, OutputOptions
):
    r"""Fit a head for other classes on a network left as it is.

    The head is linear, on the features of the network. FILE is the whole network with that head,
    for errlens evaluate --checkpoint. It records the architecture, the preprocessing and the names
    of the classes.

    With --layers such a classifier is fitted to the features of each layer instead, the mean of
    each channel over its places, and judged by images held out: at which layer can classes be told
    apart, and at which is that lost again? With --per-class, after how many images?

    Examples:
        errlens network probe photos --model resnet50 --save-head head.safetensors
        errlens network probe sample_data/digits/train --img-size 64 \
            --checkpoint sample_data/pets/tf_efficientnet_lite0.pets.safetensors \
            --save-head digits.safetensors
        errlens network probe runs/sample --layers all --per-class 1,3,5
    """

    PANEL = Panel.OUTPUT

    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="A folder with a subfolder of photos for each class; a .csv or .parquet manifest; "
            "or torchvision:NAME, a data set. With --layers or --per-class also a run folder: its "
            "images, its model.",
            rich_help_panel=Panel.DATA,
        ),
    ]
    save_head: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the network with its new head goes: .safetensors. It is needed unless "
            "layers are probed.",
        ),
    ] = None
    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            show_default="RUN/network of a run, else network",
            help="Where the files about layers go.",
        ),
    ] = None

    @property
    def of_layers(self) -> bool:
        """Whether layers are probed, and no head is fitted."""
        return self.layers is not None or self.per_class is not None

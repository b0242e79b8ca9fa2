"""Options that commands of the group share: which images are looked at, where files go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from errlens.commands.options.model import (
    ComputeOptions,
    DeviceOption,
    ModelOptions,
    TrustOption,
)
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, SelectOptions


@dataclass(frozen=True, kw_only=True)
class FilesOption:
    """Where what is made of a network goes."""

    PANEL = Panel.OUTPUT

    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            show_default="RUN/network of a run, else network",
            help="Where the files go.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ImagesOptions(
    SelectOptions, ImagesOption, FilesOption, ModelOptions, TrustOption, DeviceOption
):
    """Which images a network is shown: rows of a run, or photos; and which network that is."""

    PANEL = Panel.IMAGES

    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN|IMAGE...",
            show_default="the newest run below runs/",
            help="A run, whose images --select picks; or photos, after the run whose model sees "
            "them or with --model or --checkpoint.",
        ),
    ] = None
    max_file_mb: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default="as the run, else 500",
            help="Read no image file of more megabytes than this.",
        ),
    ] = None

    @property
    def of_model(self) -> bool:
        """Whether a model is named, and no run."""
        return bool(self.model or self.checkpoint)

    @property
    def files(self) -> list[Path]:
        """The photos given, without the run before them."""
        return (self.images or [])[0 if self.of_model else 1 :]


def limit_option(sample: int) -> OptionInfo:
    """Return what `--limit` of a command says that takes so many images unless told otherwise."""
    option: OptionInfo = typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=Panel.IMAGES,
        show_default=f"{sample}, or all of --select",
        help="At most so many images of a run, of each class as many.",
    )
    return option


@dataclass(frozen=True, kw_only=True)
class DrawnOptions(ImagesOptions, ComputeOptions):
    """The same, of a run some images drawn; a command may give both lines a number of its own."""

    SAMPLE = 200  # images of a run where none were selected
    limit: Annotated[int | None, limit_option(SAMPLE)] = None

"""Options that the commands share which draw a map of an atlas."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from errlens.choices import Icons, MapMethod
from errlens.commands.options.model import DeviceOption, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption


@dataclass(frozen=True, kw_only=True)
class MapOptions(ImagesOption, TrustOption, DeviceOption):
    """Of which layers, in what cells, and what the map of them shows."""

    PANEL = Panel.METHOD

    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="all that were collected",
            help="A layer whose points were collected.",
        ),
    ] = None
    grid: Annotated[
        int, typer.Option(min=2, max=40, metavar="N", help="Cells along each side of the map.")
    ] = 12
    min_density: Annotated[
        int, typer.Option(min=1, metavar="N", help="Points of a cell that is drawn, at least.")
    ] = 8
    layout: Annotated[
        MapMethod | None,
        typer.Option(
            show_default="tsne where it is installed and points are not too few",
            help="How points are laid out: principal components, or t-SNE, by openTSNE: the extra "
            "`map` of errlens.",
        ),
    ] = None
    icons: Annotated[
        Icons,
        typer.Option(
            rich_help_panel=Panel.PICTURES,
            help="What shows a cell: patches of photos, pictures made up so that the layer answers "
            "them as it does the cell (minutes), or both.",
        ),
    ] = "patches"
    icon_size: Annotated[
        int,
        typer.Option(
            min=32,
            max=256,
            metavar="N",
            rich_help_panel=Panel.PICTURES,
            help="Pixels along each side of what shows a cell.",
        ),
    ] = 96
    steps: Annotated[
        int,
        typer.Option(
            min=1,
            max=4096,
            metavar="N",
            rich_help_panel=Panel.PICTURES,
            help="Steps in which an icon is made up.",
        ),
    ] = 128
    labels: Annotated[
        bool,
        typer.Option(
            "--labels/--no-labels",
            rich_help_panel=Panel.PICTURES,
            help="Write on each cell the class that it speaks for the most.",
        ),
    ] = True
    mark: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW,COL=CAPTION",
            rich_help_panel=Panel.PICTURES,
            help="A cell to frame, and what to write beside it.",
        ),
    ] = None
    size_by_density: Annotated[
        bool,
        typer.Option(
            "--size-by-density",
            rich_help_panel=Panel.PICTURES,
            help="Draw cells of few points smaller.",
        ),
    ] = False
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.RUN,
            show_default="one a core",
            help="Threads that decode photos and make icons.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=Panel.RUN,
            help="Decides the noise that icons are made from.",
        ),
    ] = 0

    def decisive(self, **more: Any) -> dict[str, Any]:
        """Return what a map depends on, to be recorded with it; `more` is of one kind of map."""
        names = (
            "grid", "min_density", "layout", "icons", "icon_size", "steps", "labels", "mark",
            "size_by_density", "seed",
        )  # fmt: skip
        return {**{name: getattr(self, name) for name in names}, **more}

"""Options of `errlens report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.invocation import OpenOption, OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RunArgument, SelectOptions
from errlens.errors import UnfitOption

if TYPE_CHECKING:
    from errlens.report.images.room import Room


@dataclass(frozen=True, kw_only=True)
class RoomOptions:
    """How many pictures a page has, and how large it may become."""

    PANEL = Panel.OUTPUT

    images: Annotated[
        str | None,
        typer.Option(
            metavar="all|N",
            show_default="as many as fit, the worst first",
            help="How many images have pictures: N, or all of them, each a small one before any "
            "has a large one.",
        ),
    ] = None
    max_mb: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            show_default="20",
            help="How many megabytes the page may have; pictures that do not fit are left out.",
        ),
    ] = None

    def room(self) -> "Room":
        """Return the limits of the page.

        Raises:
            UnfitOption: One of these options is no number, or none that a page could have.
        """
        from errlens.report.images.room import LARGEST, Room

        if self.max_mb is not None and not 0 < self.max_mb < float("inf"):
            raise UnfitOption(
                f"--max-mb {self.max_mb:g} is no size of a page", hint="20 is the default"
            )
        size = LARGEST if self.max_mb is None else int(self.max_mb * 1e6)
        if self.images in (None, "all"):
            return Room(size, all_first=self.images == "all")
        if not (self.images.isascii() and self.images.isdecimal()):
            raise UnfitOption(
                f"--images {self.images!r} is neither a number of images nor all",
                hint="--images 100 gives the worst hundred pictures, --images all every image",
            )
        return Room(size, images=int(self.images))


@dataclass(frozen=True, kw_only=True)
class ReportOptions(
    RunArgument, SelectOptions, ImagesOption, RoomOptions, OutputOptions, OpenOption
):
    """Put all that is known of a run on one page, for any browser.

    The page is RUN/report.html and loads nothing from elsewhere. RUN/summary.md says the most
    important in a few lines. What other commands have not made yet is named with the command that
    does. With --select there is a page of its own about these images.

    Examples:
        errlens report runs/sample
        errlens report runs/sample --select worst:20
        errlens report runs/sample --images all --max-mb 50
    """

    marks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.IMAGES,
            help="Show the marks of a colleague: marks.json, labels.csv or notes.yaml, as the page "
            "exports them.",
        ),
    ] = None

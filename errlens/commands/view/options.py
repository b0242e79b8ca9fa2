"""Options of `errlens view`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from errlens.commands.options.invocation import OpenOption, OutputOptions
from errlens.commands.options.model import DeviceOption, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RankOption, RunArgument

HIGHEST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Where the page is, and what it can do."""

    PANEL = Panel.OUTPUT

    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=HIGHEST_PORT,
            metavar="N",
            show_default="any free one",
            help="The port of 127.0.0.1.",
        ),
    ] = 0
    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model", rich_help_panel=Panel.MODEL, help="Make no heat maps on demand."
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ViewOptions(
    RunArgument,
    RankOption,
    ImagesOption,
    ServerOptions,
    DeviceOption,
    TrustOption,
    OutputOptions,
    OpenOption,
):
    """Look through a run in the browser, however large it is.

    It is the page of errlens report, served from this machine to this machine alone until Ctrl-C:
    all images can be found, each is read when it is looked at, and heat maps are made when they are
    asked for. Marks go to RUN/marks.json. The address holds a secret: keep it to yourself.

    Examples:
        errlens view runs/sample
        errlens view runs/sample --port 8000 --open
    """

"""Options of an invocation as a whole: what it prints, what it overwrites, what configures it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.panels import Panel

if TYPE_CHECKING:
    from errlens.terminal import Screen


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What belongs to an invocation as a whole, not to one block of a configuration."""

    PANEL = Panel.COMMON

    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of tables.")
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")
    ] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print more remarks.")] = False

    def screen(self) -> "Screen":
        """Return the terminal as these options want it used."""
        from errlens.terminal import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose, as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class OverwriteOption:
    """Whether to go on with what a run folder holds, or to start afresh."""

    PANEL = Panel.COMMON

    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make anew what the folder holds already.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class OpenOption:
    """Whether to open the page that was written."""

    PANEL = Panel.OUTPUT

    open: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False

    def open_page(self, screen: "Screen", page: Path) -> None:
        """Open a page in the browser, if that is wanted; say so where there is no browser."""
        if self.open and not _opened(page.absolute().as_uri()):
            screen.warn(f"no browser was found here to open {str(page)!r} with")

    def open_address(self, screen: "Screen", address: str) -> None:
        """Open a page that is served in the browser, likewise."""
        if self.open and not _opened(address):
            screen.warn("no browser was found here to open it with")


# Options that a configuration cannot set, and that a suggested command does not repeat.
INVOCATION = (OutputOptions, OverwriteOption, OpenOption)


@dataclass(frozen=True, kw_only=True)
class ConfigArguments:
    """Which configuration, and which of its settings are replaced."""

    PANEL = Panel.CONFIGURATION

    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG", help="A YAML file: the run folder, and a block for each command."
        ),
    ]
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="BLOCK.KEY=VALUE",
            help="A setting that wins over the file.",
        ),
    ] = None


def _opened(address: str) -> bool:
    """Tell whether a browser with a window took a page; one of text would take the terminal."""
    import webbrowser

    has_windows = sys.platform in ("darwin", "win32") or any(
        map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    )
    try:
        return has_windows and webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False

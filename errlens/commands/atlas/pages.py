"""Where the page is that holds all maps of a run."""

from pathlib import Path

from errlens.terminal import Screen, relative


def show_page(screen: Screen, page: Path | None) -> None:
    """Say where the page lies, if there is a map for it to show."""
    if page:
        screen.say(f"All maps of the run on one page: {relative(page)}")

"""What `errlens view` says on the terminal."""

import os

from errlens.commands.showing import print_json
from errlens.commands.view.result import ViewResult
from errlens.formats import counted
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative


def show_address(screen: Screen, run: RunFolder, address: str, port: int) -> None:
    """Say where the page is: without that, nothing could be done with it."""
    screen.essence(address)
    screen.remark(f"Ctrl-C ends it; from elsewhere: kill {os.getpid()}")
    print_json(screen, "view", run, address=address, port=port)


def show_end(screen: Screen, result: ViewResult) -> None:
    """Say what is left of it."""
    if result.n_marked:
        marked = counted(result.n_marked, "marked image")
        screen.remark(f"{marked} in {relative(result.run.marks_file)}")

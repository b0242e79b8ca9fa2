"""`errlens view`: the page of a run, served to this machine."""

from typing import Final

from errlens.commands.view import view as terminal
from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.commands.view.result import ViewResult
from errlens.data.photos.images import quiet_pillow
from errlens.errors import UnfitOption
from errlens.serving.routes import Served
from errlens.serving.server import PageServer
from errlens.signals import leave_threads_behind
from errlens.terminal import Screen

ENDING: Final = 1.0  # seconds that requests under way are given


def view(options: ViewOptions, screen: Screen | None = None) -> ViewResult:
    """Serve the page of a run until Ctrl-C."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    served = prepare(run, options)
    with bound(served, options.port) as server, quiet_pillow():
        try:
            terminal.show_address(screen, run, server.address, server.server_port)
            options.open_address(screen, server.address)
            server.serve_forever()
        except KeyboardInterrupt:  # which is how it is meant to end
            if not server.connections.rest(ENDING):
                leave_threads_behind()
    result = ViewResult(run, len(served.marks))
    terminal.show_end(screen, result)
    return result


def bound(served: Served, port: int) -> PageServer:
    """Return a server that has its port.

    Raises:
        UnfitOption: The port is not to be had.
    """
    try:
        return PageServer(served.routes, port=port)
    except OSError as error:
        raise UnfitOption(
            f"--port {port}: {(error.strerror or str(error)).lower()}",
            hint="leave --port out: then it is any free one",
        ) from error

"""`errlens view`: the page of a run, served to this machine."""

from typing import Final

from errlens.commands.view import view as terminal
from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.commands.view.result import ViewResult
from errlens.data.photos.images import quiet_pillow
from errlens.errors import Interrupted, UnfitOption
from errlens.serving.routes import Served
from errlens.serving.server import PageServer
from errlens.signals import leave_threads_behind, noting_the_end, stopped_also_in_background
from errlens.terminal import Screen

ENDING: Final = 1.0  # seconds that requests under way are given


def view(options: ViewOptions, screen: Screen | None = None) -> ViewResult:
    """Serve the page of a run until Ctrl-C.

    Raises:
        Interrupted: It was stopped before it served.
    """
    screen = screen or options.screen()
    with stopped_also_in_background():
        try:
            run = options.open_run(screen)
            served = prepare(run, options)
            server = bound(served, options.port)
        except KeyboardInterrupt:
            raise Interrupted("stopped before the page was served") from None
        with server, quiet_pillow(), noting_the_end() as is_over:
            terminal.show_address(screen, run, server.address, server.server_port)
            options.open_address(screen, server.address)
            server.serve_until(is_over)
            # Python would wait for threads of pools before it ends, and so for what they work at.
            leave_threads_behind()
            server.connections.rest(ENDING)
            result = ViewResult(run, served.marks.count())
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

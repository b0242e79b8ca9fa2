"""`errlens view`: the page of a run, served to this machine."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from errlens.analysis.findings.reading import read_findings
from errlens.attribution.methods import method_names
from errlens.commands.options.selecting import Selection, SelectOptions
from errlens.commands.view import view as terminal
from errlens.commands.view.options import ViewOptions
from errlens.commands.view.result import ViewResult
from errlens.data.photos.images import quiet_pillow
from errlens.errors import UnfitOption
from errlens.escapes import shell_line
from errlens.report.html import render_served
from errlens.report.page import read_page
from errlens.report.sources import Sources
from errlens.run.folder import RunFolder
from errlens.serving.finder import Finder
from errlens.serving.maps import Maps
from errlens.serving.marks import RunMarks
from errlens.serving.pictures import RunPictures
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


def prepare(run: RunFolder, options: ViewOptions) -> Served:
    """Read a run, and put together what is served of it."""
    selection = SelectOptions(rank=options.rank).choose(run)
    root = options.images_root(run)
    sources = Sources(
        run=run,
        images=selection.images,
        among=selection.among,
        rank=selection.rank,
        root=root,
    )
    page = read_page(sources)
    marks = RunMarks(run, selection.images)
    findings = {rank: f.rows for rank, f in enumerate(read_findings(run).findings, 1)}
    finder = Finder(
        selection.images, measured={}, findings=findings, verdicts=lambda: marks.verdicts
    )
    maps = _maps(run, selection, options)
    remote = {
        "n": finder.n,
        "command": shell_line(["errlens", "view", run.path]),
        "sorts": ["loss", "confidence", "margin", "label_prob", "path"],
        "measured": [],
        "findings": [],
        "methods": maps.methods,
        "why_no_maps": maps.why_none,
    }
    return Served(
        page=render_served(page, remote),
        finder=finder,
        facts=lambda rows: [],
        pictures=RunPictures(run, selection.images, root, []),
        maps=maps,
        marks=marks,
    )


def _maps(run: RunFolder, selection: Selection, options: ViewOptions) -> Maps:
    """Return what makes heat maps, or says why there are none."""
    if options.no_model:
        return Maps(None, (), "errlens view was started with --no-model")
    if run.info.imported:
        return Maps(None, (), "The predictions were imported, so there is no model to explain with")
    return Maps(_first_asked(run, selection, options), method_names())

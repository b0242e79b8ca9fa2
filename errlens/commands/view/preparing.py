"""What is read of a run before its page is served."""

from functools import cache, partial
from typing import TYPE_CHECKING, Final

from errlens.attribution.methods import method_names
from errlens.commands.options.selecting import Selection, SelectOptions
from errlens.commands.view.options import ViewOptions
from errlens.escapes import printable
from errlens.report.html import render_served
from errlens.report.images.room import Room
from errlens.report.page import read_page
from errlens.report.sources import Sources
from errlens.run.folder import RunFolder
from errlens.serving.facts import RowFacts
from errlens.serving.finder import Finder
from errlens.serving.maps import Maps
from errlens.serving.marks import RunMarks
from errlens.serving.pictures import RunPictures
from errlens.serving.routes import Served

if TYPE_CHECKING:
    from errlens.commands.view.heatmaps import HeatMaps

_IMPORTED: Final = "The predictions were imported, so there is no model to explain with"
_NOT_WANTED: Final = "This page was started without a model"


def prepare(run: RunFolder, options: ViewOptions) -> Served:
    """Read a run, and put together what is served of it."""
    selection, root = SelectOptions(rank=options.rank).choose(run), options.images_root(run)
    sources = Sources(
        run=run,
        images=selection.images,
        among=selection.among,
        rank=selection.rank,
        root=root,
        room=Room(size=0),
        served=True,
    )
    page = read_page(sources)
    told = [
        (rank, printable(finding.statement), finding.rows)
        for rank, finding in enumerate(page.findings, start=1)
    ]
    about = page.shots.about
    marks, maps = RunMarks(run, selection.images), _maps(run, selection, options)
    finder = Finder(
        selection.images,
        measured={
            each.name: partial(each.numbers, selection.images.table["row"].to_numpy())
            for each in about.properties
            if each.is_number
        },
        findings={rank: rows for rank, _, rows in told},
        verdicts=marks.verdicts,
    )
    remote = {
        "n": finder.n,
        "sorts": finder.sorts,
        "measured": [
            {"name": each.name, "title": each.title} for each in about.properties if each.is_number
        ],
        "findings": [{"rank": rank, "title": title} for rank, title, rows in told if rows],
        "methods": maps.methods,
        "why_no_maps": maps.why_none,
    }
    return Served(
        page=render_served(page, remote),
        finder=finder,
        facts=RowFacts(about, selection.images, told),
        pictures=RunPictures(run, about, page.shots.explained_files, page.shots.figures),
        maps=maps,
        marks=marks,
    )


def _maps(run: RunFolder, selection: Selection, options: ViewOptions) -> Maps:
    """Return what makes heat maps, or says why there are none."""
    if options.no_model:
        return Maps(None, why_none=_NOT_WANTED)
    if run.info.imported:
        return Maps(None, why_none=_IMPORTED)
    root = options.images_root(run)

    @cache
    def heatmaps() -> "HeatMaps":
        from errlens.commands.view.heatmaps import HeatMaps  # which takes seconds: torch

        return HeatMaps(
            run, selection.images, root, device=options.device, trusted=options.trust_run
        )

    def make(row: int, method: str) -> bytes:
        return heatmaps()(row, method)

    return Maps(make, method_names())

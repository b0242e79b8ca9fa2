"""The page as one HTML file that loads nothing and runs nothing but its own script."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from errlens.escapes import printable, shell_line
from errlens.report.filling import environment, joined, policy_of
from errlens.report.images.pictures import Pictures
from errlens.report.page import RunPage, SelectionPage
from errlens.report.shots import Progress

_SECTIONS: Final = {
    "verdict": "Verdict",
    "photos": "Photos",
    "why": "Why",
    "metrics": "Metrics",
    "pairs": "Confused pairs",
    "groups": "Groups",
    "exceptional": "Exceptional errors",
    "matrix": "Confusion matrix",
    "class-table": "Classes",
    "calibration": "Calibration",
    "two-classes": "Thresholds",
    "network": "Inside the network",
    "images": "Images",
    "marks": "Marks",
    "collect": "What to collect",
    "comparison": "Comparison",
    "health": "Data health",
    "absent": "Not here yet",
    "provenance": "Provenance",
}
# When there is nothing to say in a section: then it is left out, here and among the links to all.
_EMPTY: Final[dict[str, Callable[[RunPage], bool]]] = {
    "why": lambda page: not page.causes.findings,
    "metrics": lambda page: not page.judged.first and not page.judged.others,
    "pairs": lambda page: "confusion" in page.problems or page.nothing_wrong is not None,
    "groups": lambda page: not page.groups,
    "exceptional": lambda page: not page.exceptional or not page.exceptional["total"],
    "calibration": lambda page: not page.calibration.bins,
    "two-classes": lambda page: page.two_classes is None,
    "network": lambda page: not page.network.told and not page.untold_problems,
    "collect": lambda page: page.collect.is_empty,
    "comparison": lambda page: page.compared is None,
    "absent": lambda page: not page.absent,
}
# In their order: what comes later uses, or overrules, what came before.
_STYLES: Final = tuple(
    f"styles/{name}.css"
    for name in (
        "base", "sections", "verdict", "pictures", "browse", "marks", "matrix", "charts",
        "comparison", "network", "scatter", "narrow",
    )
)  # fmt: skip
_SCRIPTS: Final = tuple(
    f"scripts/{name}.js"
    for name in (
        "base", "landing", "navigation", "texts", "store", "remote", "pictures", "marks/marks",
        "marks/files", "marks/editor", "address", "browse", "image", "explain", "lightbox",
        "marks/list", "matrix/cells", "matrix/zoom", "matrix/drawing", "matrix/labels",
        "matrix/panel", "matrix/matrix", "classes", "thresholds", "figures", "sorting",
        "scatter/points", "scatter/drawing", "scatter/chosen", "scatter/scatter",
    )
)  # fmt: skip
# All others are about what is right or wrong.
_WITHOUT_LABELS: Final = (
    "verdict", "photos", "why", "network", "images", "marks", "health", "provenance",
)  # fmt: skip
ABSENT_SHOWN: Final = 200  # by name; the page knows of all why they are not there
# For what is not counted to the last byte: a share of a page, and at least so many bytes.
_SPARE: Final = 0.02
_LEAST_SPARE: Final = 30_000


def render(page: RunPage | SelectionPage, *, progress: Progress) -> tuple[str, Pictures]:
    """Return the page, and the pictures in it; they get the room that everything else leaves."""
    empty = _fill(page, Pictures(0)).text
    size = page.shots.room.size
    room = size - max(_LEAST_SPARE, int(_SPARE * size)) - len(empty.encode())
    pictures = page.shots.pictures(max(0, room), progress=progress)
    return _fill(page, pictures).text, pictures


class ServedPage(NamedTuple):
    """A page that asks a server for its images, and the Content-Security-Policy it needs."""

    text: str
    policy: str


def render_served(page: RunPage, remote: Mapping[str, Any]) -> ServedPage:
    """Return the page as `errlens view` serves it: without what it can ask for.

    `remote` is what the page has to know of the server, as plain values.
    """
    return _fill(page, Pictures(0), remote=remote)


def _fill(
    page: RunPage | SelectionPage, pictures: Pictures, remote: Mapping[str, Any] | None = None
) -> ServedPage:
    """Fill the template."""
    name = "report" if isinstance(page, RunPage) else "selection"
    template = environment().get_template(f"{name}.html.j2")
    style, script = joined(_STYLES), joined(_SCRIPTS)
    sources = "img-src data:" if remote is None else "img-src 'self' data:; connect-src 'self'"
    policy = policy_of(style, script, sources)
    facts = page.shots.facts(pictures)
    staying = page.network.staying if isinstance(page, RunPage) else set()
    data = {
        **page.data,
        "command": shell_line(["errlens", "misclassified", Path(page.run), "--select"]),
        "commands": _commands(page),
        "view": shell_line(["errlens", "view", Path(page.run)]),  # shows what has no room here
        "names": [printable(name) for name in page.shots.run.info.classes.names],
        "marks": page.marks,
        "facts": facts if remote is None else {},
        **({} if remote is None else {"remote": remote}),
    }
    text = template.render(
        page=page,
        sections=_sections(page) if isinstance(page, RunPage) else {},
        facts=facts,
        data=data,
        staying={name: uri for name, uri in pictures.uris.items() if name in staying},
        pictures={
            "uris": {name: uri for name, uri in pictures.uris.items() if name not in staying},
            "absent": pictures.absent,
            "otherwise": pictures.otherwise,
        },
        absent=[
            (page.shots.path_of(name), why)
            for name, why in islice(pictures.absent.items(), ABSENT_SHOWN)
        ],
        style=style,
        script=script,
        policy=policy,
    )
    return ServedPage(text, policy)


def _commands(page: RunPage | SelectionPage) -> dict[str, str]:
    """Return what the page tells of one image: how to explain it, if there is a model."""
    if page.shots.run.info.imported:
        return {}
    return {"explain": shell_line(["errlens", "explain", Path(page.run), "--select"])}


def _sections(page: RunPage) -> dict[str, str]:
    """Return the titles of the sections of a page, by name, in their order."""
    if page.photos is None:
        names = [name for name in _SECTIONS if name != "photos"]
    else:
        names = [*_WITHOUT_LABELS]
    return {name: _SECTIONS[name] for name in names if name not in _EMPTY or not _EMPTY[name](page)}

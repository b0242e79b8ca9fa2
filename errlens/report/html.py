"""The page as one HTML file that loads nothing and runs nothing but its own script."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from errlens import formats
from errlens.analysis.confusion.pairs import LIKELY, MUTUAL, ONE_WAY
from errlens.escapes import escaped_json, printable, shell_line
from errlens.report.images.pictures import Pictures
from errlens.report.page import RunPage, SelectionPage
from errlens.report.shots import Progress

_MARKS: Final = {
    MUTUAL: "mutually confused", LIKELY: "likely (lift below 2)", ONE_WAY: "one way",
}  # fmt: skip
# The images that are the first by each ranking of errors.
_RANKED_AS: Final = {
    "loss": "images with the highest loss",
    "margin": "images with the lowest margin",
    "confidence": "wrong images with the highest confidence",
    "entropy": "wrong images with the lowest entropy",
    "superclass": "images most surely taken for another superclass",
}
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
_BEFORE_UNIT: Final = re.compile(r"(?<=\d) (?=%|pp\b)")
_BETWEEN_LETTERS: Final = re.compile(r"(?<=[^\W\d_][_/-])(?=[^\W\d_])")
_LONG_WORD: Final = 11  # letters: one that may get an ellipsis
_FORMATS: Final = ("share", "points", "probability", "number", "times", "count", "counted")


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
    environment = _environment()
    name = "report" if isinstance(page, RunPage) else "selection"
    style, script = (
        "\n".join(_source(environment, name) for name in names) for names in (_STYLES, _SCRIPTS)
    )
    sources = "img-src data:" if remote is None else "img-src 'self' data:; connect-src 'self'"
    policy = (
        f"default-src 'none'; {sources}; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
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
    text = environment.get_template(f"{name}.html.j2").render(
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
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704
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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("errlens.report"),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        {name: getattr(formats, name) for name in _FORMATS},
        named=named,
        fitted=fitted,
        telling=telling,
    )
    environment.globals.update(
        share_range=formats.share_range,
        mark_kinds=_MARKS,
        ranked_as=_RANKED_AS,
        view_address=view_address,
    )
    environment.policies["json.dumps_function"] = _dumps
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment


def _source(environment: Environment, name: str) -> str:
    """Return a file beside the templates; as a browser reads it, for the sake of its hash."""
    assert environment.loader is not None  # noqa: S101
    text, _, _ = environment.loader.get_source(environment, name)
    return text.replace("\r\n", "\n")


def _dumps(tree: Any, **how: Any) -> str:
    return escaped_json(json.dumps(tree, **how))


def _seen(value: Any) -> Any:
    """Return what a template shows, with what cannot be seen escaped; our own markup as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def view_address(view: Mapping[str, Any]) -> str:
    """Return the address, on the page, of the view of images that is described.

    A list of classes is any of them; names are those that the page shows.

    >>> view_address({"true": "cat", "pred": ["dog", "red fox"], "side": "wrong"})
    '#images?true=cat&pred=dog&pred=red+fox&side=wrong'
    """
    written = {
        name: [printable(str(each)) for each in (value if isinstance(value, list) else [value])]
        for name, value in view.items()
    }
    return f"#images?{urlencode(written, doseq=True)}"


def named(text: str) -> Markup:
    """Return a name that may break at `_`, `-`, `/` and `.`, and never inside of a word.

    Where a line has no room for a word, `scripts/pictures.js` puts an ellipsis into its middle; it
    has a twin of this, too.

    >>> print(named("tabby_cat"))
    tabby_<wbr>cat
    """
    words = re.findall(r"[^_\-/. ]*[_\-/. ]|[^_\-/. ]+", printable(text))
    return Markup("<wbr>").join(
        escape(word) if len(word) <= _LONG_WORD else fitted(word) for word in words
    )


def telling(sentence: str) -> Markup:
    r"""Return a sentence whose names may break where `named` ones do; numbers keep their units.

    >>> str(telling("tabby_cat taken for dog/fox: 1.5 %"))
    'tabby_<wbr>cat taken for dog/<wbr>fox: 1.5\xa0%'
    """
    parts = _BETWEEN_LETTERS.split(_BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", printable(sentence)))
    return Markup("<wbr>").join(escape(part) for part in parts)


def fitted(text: str) -> Markup:
    """Return a name that does not break, and gets an ellipsis where a line has no room for it.

    >>> print(fitted("tabby_cat.jpeg"))
    <span class="word" title="tabby_cat.jpeg">tabby_cat.jpeg</span>
    """
    text = printable(text)
    return Markup('<span class="word" title="{}">{}</span>').format(text, text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"

"""The page as one HTML file that loads nothing and runs nothing but its own script."""

import base64
import hashlib
import json
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from errlens.analysis.pairs import LIKELY, MUTUAL, ONE_WAY
from errlens.analysis.verdict import NONE_EXCEPTIONAL
from errlens.report.overview import gain, number, percent, range_of
from errlens.report.page import Page, Quest
from errlens.report.shots import Pictures, Progress

LARGEST: Final = 20_000_000  # bytes
_MARKS: Final = {
    MUTUAL: "mutually confused", LIKELY: "likely (lift below 2)", ONE_WAY: "one way",
}  # fmt: skip
_SPARE: Final = 400_000  # for the names of what is left out


def render(page: Page | Quest, *, progress: Progress) -> tuple[str, Pictures]:
    """Return the page, and the pictures in it; they get the room that everything else leaves."""
    empty = _fill(page, Pictures(0))
    room = LARGEST - _SPARE - len(empty.encode())
    pictures = page.shots.pictures(max(0, room), progress=progress)
    return _fill(page, pictures), pictures


def _fill(page: Page | Quest, pictures: Pictures) -> str:
    """Fill the template."""
    environment = _environment()
    name = "report" if isinstance(page, Page) else "quest"
    style, script = (_source(environment, f"report.{kind}") for kind in ("css", "js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    data = dict(getattr(page, "data", {}), run=page.run, facts=page.shots.facts())
    return environment.get_template(f"{name}.html.j2").render(
        page=page,
        facts=data["facts"],
        data=data,
        pictures={"uris": pictures.uris, "absent": pictures.absent},
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704
        policy=policy,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("errlens.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(percent=percent, gain=gain, number=number, listed=_listed)
    environment.globals.update(
        range_of=range_of, none_exceptional=NONE_EXCEPTIONAL, mark_kinds=_MARKS
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment


def _source(environment: Environment, name: str) -> str:
    """Return a file beside the templates; as a browser reads it, for the sake of its hash."""
    assert environment.loader is not None  # noqa: S101
    text, _, _ = environment.loader.get_source(environment, name)
    return text.replace("\r\n", "\n")


def _listed(text: str) -> str:
    """Write a JSON list of names.

    >>> _listed('["cat", "dog"]')
    'cat, dog'
    """
    return ", ".join(map(str, json.loads(text)))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"

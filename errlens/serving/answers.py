"""What a request is answered with: content, a picture, or a sentence why not."""

import base64
import hashlib
import json
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from errlens.report.images.drawn import STYLE

JSON: Final = "application/json"
PICTURE: Final = "image/webp"
DRAWN: Final = "image/svg+xml"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
NOTHING_ALLOWED: Final = "default-src 'none'; sandbox"
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# A drawn picture holds a photo and one style; it runs nothing, also as a page of its own.
_ITSELF_ALONE: Final = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}'; sandbox"
)


class Answer(NamedTuple):
    """What is sent; `policy` is the Content-Security-Policy of a page."""

    content: bytes
    kind: str
    status: HTTPStatus = HTTPStatus.OK
    policy: str = NOTHING_ALLOWED


class Refused(Exception):
    """A request that is not granted: its status, and a sentence that says why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status

    @property
    def answer(self) -> Answer:
        """What is sent instead."""
        return Answer(str(self).encode("utf-8", "replace"), TEXT, self.status)


def drawn_answer(picture: bytes) -> Answer:
    """Return a picture of `report.images.drawn`: an SVG, or a WebP."""
    if picture.startswith(b"<svg"):
        return Answer(picture, DRAWN, policy=_ITSELF_ALONE)
    return Answer(picture, PICTURE)


def json_answer(tree: Any) -> Answer:
    """Return plain values as JSON."""
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Answer(text.encode("utf-8", "replace"), JSON)

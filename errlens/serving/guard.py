"""Who may ask: only the page itself, in a browser that was given its address.

Any web page can make a browser send requests to this machine. So the address holds a token nobody
can guess; the name that a request was sent to must be one of this machine, for a name of somebody
else's may come to lead here (DNS rebinding); and browsers say which page a request comes from.
"""

import hmac
import secrets
from email.message import Message
from http import HTTPStatus
from typing import Final, NamedTuple

from errlens.serving.answers import JSON, Refused

HOST: Final = "127.0.0.1"
_NAMES: Final = (HOST, "localhost")
_WEB_PORT: Final = 80  # which browsers leave out
_OWN: Final = (None, "same-origin", "none")  # none: typed, or opened by another program
_NOBODY: Final = "nothing is here"


def new_token() -> str:
    """Return a word for the address that nobody can guess."""
    return secrets.token_urlsafe(24)


class Target(NamedTuple):
    """What is asked for: the name of a route, and what stands behind the question mark."""

    name: str
    query: str


def target_of(path: str, token: str) -> Target:
    """Return what a request asks for; its path is taken letter by letter, nothing is decoded.

    Raises:
        Refused: It does not begin with the token.
    """
    place, _, query = path.partition("?")
    before, given, *names = [*place.split("/"), ""][:3]
    is_ours = hmac.compare_digest(given.encode(), token.encode())
    if not is_ours or before or place.count("/") != 2:
        raise Refused(HTTPStatus.NOT_FOUND, _NOBODY)
    return Target(names[0], query)


def check_source(headers: Message, port: int, *, writes: bool, opens: bool) -> None:
    """Refuse what another page, or a name of somebody else's, has a browser ask for.

    Args:
        headers: Of the request.
        port: Where it was received.
        writes: Whether it may change anything: then it must say that it comes from the page.
        opens: Whether it opens the page, which a link may do, wherever it stands.

    Raises:
        Refused: It is not to be trusted.
    """
    hosts = headers.get_all("Host") or []
    if len(hosts) != 1 or hosts[0].lower() not in _own_hosts(port):
        raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this is not the name of this server")
    site = headers.get("Sec-Fetch-Site")
    followed = opens and headers.get("Sec-Fetch-Mode") == "navigate"
    if site not in _OWN and not followed:
        raise Refused(HTTPStatus.FORBIDDEN, "another page may not ask this")
    origins = headers.get_all("Origin") or []
    if (writes or origins) and origins != [f"http://{hosts[0].lower()}"]:
        raise Refused(HTTPStatus.FORBIDDEN, "another page may not ask this")


def content_length(headers: Message, *, most: int) -> int:
    """Return how many bytes of JSON a request brings along.

    Raises:
        Refused: It does not say so, or they are too many, or something else.
    """
    lengths = headers.get_all("Content-Length") or []
    if headers.get("Transfer-Encoding") or len(lengths) != 1:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "say once how long it is")
    if not (lengths[0].isascii() and lengths[0].isdigit()):
        raise Refused(HTTPStatus.BAD_REQUEST, "that is no length")
    if len(lengths[0]) > len(str(most)) or int(lengths[0]) > most:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {most:,} bytes")
    if headers.get_content_type() != JSON:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "only JSON is read")
    return int(lengths[0])


def _own_hosts(port: int) -> set[str]:
    hosts = {f"{name}:{port}" for name in _NAMES}
    return hosts | {*_NAMES} if port == _WEB_PORT else hosts

"""A server of one page for one person: on this machine alone, from the standard library."""

import sys
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final, NamedTuple

from errlens.serving.answers import TEXT, Answer, Refused
from errlens.serving.connections import Connections
from errlens.serving.guard import HOST, check_source, content_length, new_token, target_of

LARGEST_BODY: Final = 20_000_000  # bytes
SENDING: Final = 120.0  # seconds that an answer may take on its way
_ASKED_EVERY: Final = 0.2  # seconds
_PAGE: Final = ""  # the name of the page itself
_PROBLEM: Final = "this failed; the terminal that serves the page says how"
# Of every answer: it is for this page alone, is what it says it is, and nobody keeps it.
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Route(NamedTuple):
    """How a name is answered: `reads` is given the query; `writes` the body, where it has one."""

    reads: Callable[[str], Answer]
    writes: Callable[[bytes], Answer] | None = None


class PageServer(ThreadingHTTPServer):
    """Serves routes below a secret path of 127.0.0.1.

    Requests under way when `serve_until` returns are left behind.

    Raises:
        OSError: The port is taken, or not to be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # Elsewhere than on Windows, this lets a port be used again at once, not by two at a time.
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self,
        routes: Mapping[str, Route],
        *,
        port: int = 0,
        token: str | None = None,
        connections: Connections | None = None,
    ) -> None:
        self.routes = routes
        self.token = token or new_token()
        self.connections = Connections() if connections is None else connections
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking what this machine is called, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, where there is room for one more."""
        if self.connections.open(request):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self.connections.close(request)
        super().shutdown_request(request)

    def serve_until(self, is_over: Callable[[], bool]) -> None:
        """Serve until it is over; that is asked after each request, and several times a second."""
        self.timeout = _ASKED_EVERY
        while not is_over():
            self.handle_request()
            self.service_actions()

    def service_actions(self) -> None:
        """Look after the connections, several times a second."""
        self.connections.end_overdue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of readers that go away; of anything else, what it is."""
        del request, client_address
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = SENDING
    # An answer leaves in one piece: else its second part waits for the first to be acknowledged,
    # which takes 40 milliseconds of each picture.
    wbufsize = -1
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        """Return who answers; not by which libraries."""
        return "errlens"

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        self.server.connections.waits(self.connection)
        super().handle_one_request()

    def do_GET(self) -> None:
        """Answer a request that changes nothing."""
        self._send(self._answer())

    def do_HEAD(self) -> None:
        """Answer as to GET, without the content."""
        self._send(self._answer(), whole=False)

    def do_POST(self) -> None:
        """Answer a request to change something."""
        self._send(self._answer())

    def _answer(self) -> Answer:
        """Return what there is to say to a request; a bug ends neither the page nor the server."""
        try:
            return self._granted()
        except Refused as refused:
            self.close_connection = True  # there may be a body that nobody reads
            return refused.answer
        except OSError:  # the other end is gone
            raise
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            return Answer(_PROBLEM.encode(), TEXT, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _granted(self) -> Answer:
        """Check a request, and have it answered."""
        writes = self.command == "POST"
        target = target_of(self.path, self.server.token)
        opens = target.name == _PAGE and not writes
        check_source(self.headers, self.server.server_port, writes=writes, opens=opens)
        route = self.server.routes.get(target.name)
        if route is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such thing here")
        if not writes:
            if (
                self.headers.get("Content-Length", "0") != "0"
                or "Transfer-Encoding" in self.headers
            ):
                raise Refused(HTTPStatus.BAD_REQUEST, "a question brings nothing along")
            self.server.connections.works(self.connection)
            return route.reads(target.query)
        if route.writes is None or target.query:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "nothing is written here")
        length = content_length(self.headers, most=LARGEST_BODY)
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(HTTPStatus.BAD_REQUEST, "the rest is missing")
        self.server.connections.works(self.connection)
        return route.writes(body)

    def _send(self, answer: Answer, *, whole: bool = True) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("Content-Security-Policy", f"{answer.policy}; frame-ancestors 'none'")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if whole:
            self.wfile.write(answer.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, or one of a kind that is never granted, with a sentence."""
        del explain
        self.close_connection = True
        words = message or "this cannot be understood"
        # The library's words repeat what was sent.
        self._send(Answer(words.partition("(")[0].strip().encode(), TEXT, HTTPStatus(code)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Write no log: what is asked for is the user's own business."""

"""A server with a few routes, and plain sockets that ask it."""

import http.client
import socket
import threading
from contextlib import contextmanager

import pytest

from errlens.serving.answers import HTML, Answer, json_answer
from errlens.serving.connections import Connections
from errlens.serving.server import PageServer, Route

TOKEN = "a-token"


@contextmanager
def serving(routes, **options):
    """Serve routes in a thread, as the command does in its main thread."""
    server = PageServer(routes, token=TOKEN, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Browser:
    """Asks a server as a browser would, or otherwise."""

    def __init__(self, server):
        self.port = server.server_port
        self.token = server.token

    def ask(self, name="", *, method="GET", body=None, path=None, **headers):
        """Return status, headers and content of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path or f"/{self.token}/{name}", skip_host="Host" in headers)
        for key, value in headers.items():
            connection.putheader(key.replace("_", "-"), value)
        if body is not None and "Content_Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def write(self, name, body, **headers):
        own = {
            "Origin": f"http://127.0.0.1:{self.port}",
            "Content_Type": "application/json",
            "Sec_Fetch_Site": "same-origin",
        }
        return self.ask(name, method="POST", body=body, **{**own, **headers})

    def raw(self, content, *, timeout=10):
        """Send bytes, and return what comes back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(content)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received


@pytest.fixture
def written():
    return []


@pytest.fixture
def server(written):
    def write(body):
        written.append(body)
        return json_answer({})

    def fail(_query):
        raise ZeroDivisionError

    routes = {
        "": Route(lambda _query: Answer(b"<p>page", HTML, policy="default-src 'none'")),
        "echo": Route(json_answer),
        "marks": Route(lambda _query: json_answer([]), write),
        "bug": Route(fail),
    }
    with serving(routes, connections=Connections(most=8, patience=0.5)) as started:
        yield started


@pytest.fixture
def browser_of():
    return Browser


@pytest.fixture
def visitor(server):
    return Browser(server)

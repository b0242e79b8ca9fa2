"""What a file may take at most, and that is never the network."""

import resource
import socket
import time
from contextlib import contextmanager

MOST_SECONDS = 60  # on a busy machine
MOST_MEMORY = 2**30  # bytes; what the attacks ask for is far more


def forbid_sockets(monkeypatch):
    def refused(*_args, **_kwargs):
        raise AssertionError("a socket was asked for")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refused)


@contextmanager
def seconds_and_memory():
    """Require that the block is done soon and takes no more memory than it may."""
    started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - started < MOST_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < MOST_MEMORY / 1024

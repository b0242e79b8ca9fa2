"""Who is connected, and for how long: slow ones and many do not keep others out."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Final

MOST: Final = 64  # connections, each of which has a thread; a browser opens six
PATIENCE: Final = 20.0  # seconds in which a request must have been sent, from its first byte on

_WORKING: Final = float("inf")
_PAUSE: Final = 0.02  # seconds


class Connections:
    """The open connections, and until when each is waited for."""

    def __init__(self, *, most: int = MOST, patience: float = PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._until: dict[socket.socket, float] = {}
        self._lock = Lock()
        self._is_ending = False

    def __len__(self) -> int:
        return len(self._until)

    def open(self, connection: socket.socket) -> bool:
        """Take a new one; of too many, one that asks for nothing goes. False where none does."""
        with self._lock:
            if len(self._until) >= self._most:
                first = min(self._until, key=self._until.__getitem__)
                if self._until[first] == _WORKING:
                    return False
                self._drop(first)
            self._until[connection] = time.monotonic() + self._patience
            return True

    def close(self, connection: socket.socket) -> None:
        """Forget one that is over."""
        with self._lock:
            self._until.pop(connection, None)

    def waits(self, connection: socket.socket) -> None:
        """Wait for a request, the whole of it."""
        self._set(connection, time.monotonic() + self._patience)

    def works(self, connection: socket.socket) -> None:
        """Answer a request, which may take its time."""
        self._set(connection, _WORKING)

    def end_overdue(self, now: Callable[[], float] = time.monotonic) -> None:
        """End those that have not asked for anything in time."""
        with self._lock:
            for connection in [each for each, until in self._until.items() if until < now()]:
                self._drop(connection)

    def rest(self, patience: float) -> bool:
        """Let all go, those being answered within some seconds; tell whether all are."""
        with self._lock:
            self._is_ending = True
            for connection in [each for each, until in self._until.items() if until != _WORKING]:
                self._drop(connection)
        end = time.monotonic() + patience
        while busy := _WORKING in self._until.copy().values():
            if time.monotonic() > end:
                break
            time.sleep(_PAUSE)
        return not busy

    def _set(self, connection: socket.socket, until: float) -> None:
        with self._lock:
            if connection not in self._until:
                return
            self._until[connection] = until
            if self._is_ending and until != _WORKING:
                self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        del self._until[connection]
        with suppress(OSError):  # the other end was faster
            connection.shutdown(socket.SHUT_RDWR)  # its thread reads the end, and closes it

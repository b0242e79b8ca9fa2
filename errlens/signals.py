"""Signals that ask the program to stop: all of them end the work as Ctrl-C does.

The exit code follows the shells: 128 and the number of the signal, 130 for SIGINT (Ctrl-C), 143 for
SIGTERM, 129 for SIGHUP. What was told to ignore a signal goes on ignoring it: `nohup` does so with
SIGHUP, and a shell with SIGINT for what it starts in the background. Only a server hears that.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, NoReturn

_ASKED_TO_STOP: Final = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_BASE: Final = 128

_received: list[int] = []
_left_behind: list[bool] = []


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread when a signal asks to stop."""
    for number in _ASKED_TO_STOP:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)


class _Once:
    """Hands the first signal on to what would have handled it, and no other.

    After `end`, the first one has to wait.
    """

    def __init__(self) -> None:
        numbers = (signal.SIGINT, *_ASKED_TO_STOP)
        found = {number: signal.getsignal(number) for number in numbers}
        self._handlers: dict[int, Any] = {
            n: handler for n, handler in found.items() if callable(handler)
        }
        self._heard: list[int] = []
        self._is_ending = False

    def install(self) -> None:
        for number in self._handlers:
            signal.signal(number, self._hear)

    def remove(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def end(self) -> None:
        self._is_ending = not self._heard

    def hand_on_what_waits(self) -> None:
        for number in self._heard * self._is_ending:
            self._handlers[number](number, None)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._heard:
            return
        self._heard.append(number)
        if not self._is_ending:
            self._handlers[number](number, frame)


@contextmanager
def heard_once() -> Iterator[Callable[[], None]]:
    """Let only the first signal to stop be heard in here: those after it would stop the ending.

    Yields:
        A function after which not even a first signal stops anything in here: it is heard at the
        end. Call it where the work is done and what came of it is being kept.
    """
    if threading.current_thread() is not threading.main_thread():  # others are never stopped
        yield lambda: None
        return
    once = _Once()
    once.install()
    try:
        yield once.end
    finally:
        once.remove()
    once.hand_on_what_waits()


@contextmanager
def stopped_also_in_background() -> Iterator[None]:
    """Let SIGINT and SIGTERM stop what is in here also where whoever started it had them ignored.

    A script does so with SIGINT for what it starts with `&`. What serves until it is ended, and
    nothing else, has to hear it all the same.
    """
    deaf = {
        number: handler
        for number, handler in _ENDS_A_SERVER.items()
        if signal.getsignal(number) == signal.SIG_IGN
    }
    with _handled(deaf):
        yield


@contextmanager
def noting_the_end() -> Iterator[Callable[[], bool]]:
    """Keep signals to stop from breaking off what is in here, which asks whether one has come.

    An exception may come anywhere, also where the interpreter drops it; a note is not lost.

    Yields:
        Tells whether one has come.
    """
    heard: list[int] = []
    numbers = (signal.SIGINT, *_ASKED_TO_STOP)

    def note(number: int, _frame: FrameType | None) -> None:
        heard.append(number)

    with _handled({n: note for n in numbers if signal.getsignal(n) != signal.SIG_IGN}):
        yield lambda: bool(heard)


@contextmanager
def _handled(handlers: "dict[int, _Handler]") -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code_of_stop() -> int:
    """Return the exit code of a program that was stopped."""
    return _BASE + (_received[0] if _received else signal.SIGINT)


def leave_threads_behind() -> None:
    """Let the program end, in the end, without threads that are still at work.

    They may be in the middle of a library that does not stand being taken down meanwhile.
    """
    _left_behind.append(True)


def leaves_at_once(code: object) -> bool:
    """Tell whether a program with this exit code has to leave with `leave_stopped`."""
    return bool(_left_behind) or code == exit_code_of_stop()


def leave_stopped(code: int) -> NoReturn:
    """End a program that was stopped, once all is said and cleaned up.

    Libraries whose threads were stopped in the middle may abort the process, with an exit code of
    their own, while Python takes them down; they are not given the chance.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def _stop(number: int, _frame: FrameType | None) -> None:
    """Stop once: `timeout` sends its signal twice, and cleaning up must not be stopped."""
    if not _received:
        _received.append(number)
        raise KeyboardInterrupt


_Handler = Callable[[int, FrameType | None], Any]
_ENDS_A_SERVER: Final[dict[int, _Handler]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: _stop,
}

"""Signals that ask the program to stop: all of them end the work as Ctrl-C does.

The exit code follows the shells: 128 and the number of the signal, 130 for SIGINT (Ctrl-C), 143 for
SIGTERM, 129 for SIGHUP. What was told to ignore a signal goes on ignoring it: `nohup` does so with
SIGHUP, and a shell with SIGINT for what it starts in the background.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

_ASKED_TO_STOP: Final = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_BASE: Final = 128

_received: list[int] = []


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread when a signal asks to stop."""
    for number in _ASKED_TO_STOP:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)


def exit_code_of_stop() -> int:
    """Return the exit code of a program that was stopped."""
    return _BASE + (_received[0] if _received else signal.SIGINT)


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

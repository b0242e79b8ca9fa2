"""Standard output and standard error, of which the reader may go away.

A reader that has seen enough, as `head -1` does, changes nothing: what is left to say goes nowhere,
the work is done to its end, and the exit code is that of the work.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, TextIO, cast

# The reader of a pipe or a connection is gone, or the terminal is.
_GONE: Final = frozenset({errno.EPIPE, errno.EIO, errno.ECONNRESET, errno.ESHUTDOWN})
# Remarks and warnings are no results: a log on a full disk must not end an evaluation.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLEARED: Final = "\r\x1b[K"  # the line, as terminals understand it
PATIENCE: Final = 0.3  # seconds that nobody asks what is going on


class _Outlet(io.FileIO):
    """Writes bytes to a file descriptor until that fails; from then on they are dropped.

    An error that is `foreseen` is not raised; any other is, once.
    """

    def __init__(self, stream: TextIO, *, foreseen: Collection[int]) -> None:
        super().__init__(stream.fileno(), "wb", closefd=False)
        self._called = stream.name
        self._foreseen = foreseen
        self._is_closed_off = False

    def write(self, content: Any) -> int:
        """Write bytes, or take them as written."""
        if not self._is_closed_off:
            try:
                return super().write(content)
            except OSError as error:
                self._is_closed_off = True
                if error.errno not in self._foreseen:
                    raise OSError(error.errno, error.strerror, self._called) from error
        return len(memoryview(content).cast("B"))


def outlive_readers() -> None:
    """Let the program go on when the reader of its output goes away, or was never there."""
    sys.stdout = _outliving(sys.stdout, foreseen=_GONE)
    sys.stderr = _outliving(sys.stderr, foreseen=_GONE | _FULL)


def _outliving(stream: TextIO | None, *, foreseen: Collection[int]) -> TextIO:
    if stream is None:  # closed before the program began
        return cast("TextIO", Path(os.devnull).open("w", encoding="utf-8"))
    try:
        outlet = _Outlet(stream, foreseen=foreseen)
    except (OSError, ValueError):  # not a file, but what somebody put in its place
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty() or stream is sys.stderr,
    )


@contextmanager
def passing_line(text: Callable[[], str]) -> Iterator[None]:
    """Say on a terminal what is going on while it takes long; nothing of it is left afterwards.

    The text is asked for again and again. Rich is not needed, which takes a while to import itself.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    is_over = Event()
    teller = Thread(target=_tell, args=(text, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _tell(text: Callable[[], str], is_over: Event) -> None:
    shown = ""
    while not is_over.wait(PATIENCE):
        if text() != shown:
            shown = text()
            _rewrite(shown)
    if shown:
        _rewrite("")


def _rewrite(line: str) -> None:
    sys.stderr.write(_CLEARED + line)
    sys.stderr.flush()

"""The program, in a process of its own that finds its libraries imported.

Importing them takes a second or more of each start. `Warm` starts one Python that imports them and
then forks itself for each call: a process with the arguments, the folder and the streams that it is
given. What is started ends as any Python ends; what is run does not take its modules apart in the
end, which would take longer than most calls. A few starts of the installed program are tested
beside it.
"""

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_LONGEST = 65_536  # bytes of a call
_STREAMS = 3  # standard input, output and error


class Warm:
    """Runs errlens again and again; `close` ends it."""

    def __init__(self) -> None:
        self._last: Started | None = None
        self._calls, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._python = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )

    def run(
        self, arguments: str, folder: Path, *, stdout: int | None = None, stderr: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call the program, and return its exit code and what it said.

        A stream goes to the descriptor that is given for it, and is not returned then.
        """
        return self.start(arguments, folder, stdout=stdout, stderr=stderr, keeps_modules=True).end()

    def start(
        self,
        arguments: str,
        folder: Path,
        *,
        stdout: int | None = None,
        stderr: int | None = None,
        keeps_modules: bool = False,
    ) -> "Started":
        """Call the program, and return while it works; another call waits for its end."""
        if self._last is not None and not self._last.has_ended:
            self._last.end()
        words = arguments.split()
        with ExitStack() as files:
            said, remarked = (files.enter_context(TemporaryFile()) for _ in range(2))
            with Path(os.devnull).open() as none:
                streams = [none.fileno(), stdout or said.fileno(), stderr or remarked.fileno()]
                call = json.dumps([words, str(folder), keeps_modules]).encode()
                socket.send_fds(self._calls, [call], streams)
            process = int(self._calls.recv(_LONGEST))
            self._last = Started(process, self._calls, words, (said, remarked), files.pop_all())
        return self._last

    def close(self) -> None:
        """End the Python that waits for calls."""
        self._calls.close()
        self._python.wait()


class Started:
    """A call that is at work, in the process of this number."""

    def __init__(
        self,
        number: int,
        calls: socket.socket,
        words: list[str],
        said: tuple[IO[bytes], IO[bytes]],
        files: ExitStack,
    ) -> None:
        self._number, self._calls, self._words = number, calls, words
        self._said, self._files = said, files
        self.has_ended = False

    def send_signal(self, number: int) -> None:
        """Send it a signal, as `kill` does."""
        with suppress(ProcessLookupError):
            os.kill(self._number, number)

    def end(self) -> subprocess.CompletedProcess[str]:
        """Wait for the end, and return the exit code, minus a signal if that was it, and words."""
        code = int(self._calls.recv(_LONGEST))
        self.has_ended = True
        with self._files:
            return subprocess.CompletedProcess(self._words, code, *map(_whole, self._said))


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _import_all() -> None:
    from errlens.commands.registry import COMMANDS

    for command in COMMANDS.values():
        command.load(quiet=True)


def _be_called(calls: socket.socket) -> bool:
    """Fork for each call; in the process that is to be the program, return how it is to end."""
    while True:
        call, streams, _, _ = socket.recv_fds(calls, _LONGEST, _STREAMS)
        if not call:
            sys.exit()
        child = os.fork()
        if not child:
            break
        for stream in streams:
            os.close(stream)
        calls.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        calls.send(str(os.waitstatus_to_exitcode(status)).encode())
    calls.close()
    arguments, folder, keeps_modules = json.loads(call)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(folder)
    sys.argv = ["errlens", *arguments]
    return bool(keeps_modules)


def _end_as_python_does(end: SystemExit) -> None:
    """End without taking the modules apart, unless Python would have something to say."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError):  # what cannot be flushed is left to Python
        sys.stdout.flush()
        sys.stderr.flush()
        if end.code is None or isinstance(end.code, int):
            os._exit(end.code or 0)
    raise end


if __name__ == "__main__":
    from errlens.cli import main

    _import_all()
    gc.freeze()
    keeps_modules = _be_called(socket.socket(fileno=int(sys.argv[1])))
    try:
        main()
    except SystemExit as end:
        if not keeps_modules:
            raise
        _end_as_python_does(end)

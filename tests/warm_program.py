"""The program, in a process of its own that finds its libraries imported.

Importing them takes a second or more of each start. `Warm` starts one Python that imports them and
then forks itself for each call: a process with the arguments, the folder and the streams that it is
given, which ends as any Python ends. A few starts of the installed program are tested beside it.
"""

import gc
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_LONGEST = 65_536  # bytes of a call
_STREAMS = 3  # standard input, output and error


class Warm:
    """Runs errlens again and again; `close` ends it."""

    def __init__(self) -> None:
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
        words = arguments.split()
        with TemporaryFile() as said, TemporaryFile() as remarked, Path(os.devnull).open() as none:
            streams = [none.fileno(), stdout or said.fileno(), stderr or remarked.fileno()]
            socket.send_fds(self._calls, [json.dumps([words, str(folder)]).encode()], streams)
            code = int(self._calls.recv(_LONGEST))
            texts = [_whole(file) for file in (said, remarked)]
        return subprocess.CompletedProcess(words, code, *texts)

    def close(self) -> None:
        """End the Python that waits for calls."""
        self._calls.close()
        self._python.wait()


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _import_all() -> None:
    from errlens.commands.registry import COMMANDS

    for command in COMMANDS.values():
        command.load(quiet=True)


def _be_called(calls: socket.socket) -> None:
    """Fork for each call, and return in the process that is to be the program."""
    while True:
        call, streams, _, _ = socket.recv_fds(calls, _LONGEST, _STREAMS)
        if not call:
            sys.exit()
        child = os.fork()
        if not child:
            break
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        calls.send(str(os.waitstatus_to_exitcode(status)).encode())
    calls.close()
    arguments, folder = json.loads(call)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(folder)
    sys.argv = ["errlens", *arguments]


if __name__ == "__main__":
    from errlens.cli import main

    _import_all()
    gc.freeze()
    _be_called(socket.socket(fileno=int(sys.argv[1])))
    main()

"""`errlens view` as a process of its own, as a person starts it."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.run.folder import open_run
from tests.conftest import signals_as
from tests.serving.conftest import Browser, serving

PROGRAM = Path(sys.executable).with_name("errlens")


class Viewing:
    """A program that serves a page, and where it does."""

    def __init__(self, process):
        self.process = process
        self.said = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]+)/", self.said)
        self.address, self.server_port, self.token = address[0], int(address[1]), address[2]
        self.browser = Browser(self)

    def stop(self, number=signal.SIGINT):
        """Send a signal; return the exit code and what was said on standard error."""
        self.process.send_signal(number)
        _, remarks = self.process.communicate(timeout=20)
        return self.process.returncode, remarks


@pytest.fixture
def viewing():
    """Start the program in the current folder."""
    started = []

    def start(arguments="run", *, before=signal.SIG_DFL):
        # What a shell starts in the background ignores SIGINT.
        with signals_as(before, signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [PROGRAM, "view", *arguments.split()],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "COLUMNS": "200"},
            )
        started.append(process)
        return Viewing(process)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def served():
    """Serve a run of the current folder from inside this process."""

    @contextmanager
    def start(run="run", **options):
        with serving(
            prepare(open_run(run), ViewOptions(run=Path(run), **options)).routes
        ) as server:
            yield Browser(server)

    return start

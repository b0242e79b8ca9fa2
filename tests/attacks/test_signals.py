"""SIGTERM and SIGHUP stop the work as Ctrl-C does, wherever it is."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errlens
from errlens import signals
from errlens.cli import app
from errlens.data.photos.loading import in_order
from errlens.errors import StaleRun
from tests.conftest import TINY_MODULE, signals_as


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """Undo what a shell does to tests that run in the background: they ignore SIGINT."""
    with signals_as(signal.default_int_handler, signal.SIGINT):
        yield


PROGRAM = Path(sys.executable).with_name("errlens")
STOPS = {signal.SIGTERM: 143, signal.SIGHUP: 129}
SLOW_MODEL = """
import time
from tiny import Colours


def slowly():
    print("loading", flush=True)
    time.sleep(0.5)
    return Slow()


class Slow(Colours):
    def forward(self, images):
        time.sleep(0.05)
        return super().forward(images)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "tiny.py").write_text(TINY_MODULE)
    (tmp_path / "slow.py").write_text(SLOW_MODEL)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def stopped_by_nothing_yet(monkeypatch):
    """Let a test install the program's handlers; afterwards all is as before."""
    monkeypatch.setattr(signals, "_received", [])
    with signals_as(signal.SIG_DFL, *STOPS):
        yield


COMMAND = (
    "evaluate photos --model=slow:slowly --img-size=8 --part-size=2 --batch-size=1 --workers=1"
    " -o run"
)


def start(handler=signal.SIG_DFL, numbers=(signal.SIGINT, *STOPS)):
    """Start the installed program."""
    command = [PROGRAM, *COMMAND.split()]
    with signals_as(handler, *numbers):
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(condition):
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def has_parts(number):
    return lambda: len(list(Path("run/predictions").glob("part-*.parquet"))) >= number


def status():
    return json.loads(Path("run/run.json").read_text())["status"]


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(("number", "code"), STOPS.items())
def test_a_signal_leaves_a_resumable_run_and_says_so(number, code, tmp_path, warm):
    process = warm.start(COMMAND, tmp_path)
    wait_for(has_parts(2))
    process.send_signal(number)
    process.send_signal(number)  # `timeout` tells the process, and then its group
    ended = process.end()
    assert ended.returncode == code, ended.stderr
    assert "the same command goes on from there" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert status() == "interrupted"
    assert not list(Path("run").rglob("*.tmp"))


@pytest.mark.usefixtures("photos")
def test_a_signal_while_the_model_is_loaded_leaves_no_run():
    process = start()
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 143, stderr
    assert "error: stopped" in stderr
    assert "Traceback" not in stderr
    assert not Path("run").exists()


@pytest.mark.usefixtures("photos")
def test_what_was_told_to_ignore_signals_goes_on():
    ignored = (signal.SIGHUP, signal.SIGINT)  # by nohup, and by a shell for `errlens ... &`
    process = start(signal.SIG_IGN, ignored)
    wait_for(has_parts(1))
    for number in ignored:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 0, stderr
    assert status() == "complete"


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("where", ["measure", "class_table"])
@pytest.mark.parametrize("command", ["evaluate", "import"])
def test_no_run_says_that_it_is_running_when_nobody_works_on_it(monkeypatch, where, command):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    monkeypatch.setattr(f"errlens.commands.evaluate.result.{where}", interrupt)
    Path("table.csv").write_text("path,label,pred\na.png,cat,cat\nb.png,dog,cat\n")
    data = {"evaluate": "photos --model tiny:colours --img-size 8", "import": "table.csv"}[command]
    said = CliRunner().invoke(app, [command, *data.split(), "-o", "run"])
    assert said.exit_code == 130
    assert status() == "interrupted"


def test_a_run_that_was_begun_by_another_one_is_left_as_it_is(photos, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    run = errlens.evaluate(photos, model="tiny:colours", img_size=8, out="run")
    info = {**json.loads(run.info_file.read_text()), "status": "running"}
    run.info_file.write_text(json.dumps(info))
    with pytest.raises(StaleRun):
        errlens.evaluate(photos, model="tiny:colours", img_size=9, out="run")
    assert status() == "running"


def test_only_the_first_signal_stops_the_work():
    signals.stop_on_signals()
    assert signals.exit_code_of_stop() == 130
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)
    assert signals.exit_code_of_stop() == 143


def kill(number=signal.SIGINT):
    os.kill(os.getpid(), number)
    time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, *STOPS])
def test_where_a_signal_is_heard_once_the_ending_is_not_stopped(number):
    signals.stop_on_signals()
    before = signal.getsignal(number)
    ended = False
    with signals.heard_once():
        with pytest.raises(KeyboardInterrupt):
            kill(number)
        for other in (signal.SIGINT, *STOPS):
            kill(other)
        ended = True
    assert ended
    assert signal.getsignal(number) is before


def test_a_signal_while_results_are_kept_is_heard_at_the_end():
    kept = False
    with pytest.raises(KeyboardInterrupt), signals.heard_once() as end:  # noqa: PT012
        end()
        kill()
        kill()
        kept = True
    assert kept


def test_a_thread_is_left_alone_by_signals():
    def work(_job):
        with signals.heard_once() as end:
            end()
        return signal.getsignal(signal.SIGINT)

    assert list(in_order(work, range(2), workers=2)) == [signal.default_int_handler] * 2


def test_a_signal_stops_the_work_of_threads():
    main = threading.main_thread().ident
    signals.stop_on_signals()

    def work(job):
        if job == 3:
            signal.pthread_kill(main, signal.SIGTERM)
        time.sleep(0.01)
        return job

    with pytest.raises(KeyboardInterrupt):
        list(in_order(work, range(100), workers=2))

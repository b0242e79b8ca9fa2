"""The program: where it serves, what it says, and how it ends."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from errlens import signals
from errlens.commands.view import command
from tests.conftest import call, refused
from tests.report.pages import make


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_it_serves_until_it_is_stopped_also_in_the_background(viewing, number, before):
    make()
    view = viewing(before=before)
    assert view.browser.ask()[0] == 200
    start = time.monotonic()
    code, remarks = view.stop(number)
    assert code == 0
    assert time.monotonic() - start < 5
    ways = f"Ctrl-C ends it; from elsewhere: kill {view.process.pid}"
    assert remarks.splitlines()[-1] == ways
    with pytest.raises(ConnectionError):
        view.browser.ask()


def test_stopped_before_it_serves_it_says_so(monkeypatch):
    def be_stopped(*_given):
        raise KeyboardInterrupt

    make()
    monkeypatch.setattr(command, "prepare", be_stopped)
    assert "error: stopped before the page was served" in refused("view run", exit_code=130)


def test_it_ends_promptly_also_with_requests_under_way(viewing):
    make()
    view = viewing()
    idle = [socket.create_connection(("127.0.0.1", view.server_port)) for _ in range(10)]
    idle[0].sendall(f"POST /{view.token}/marks HTTP/1.1\r\nContent-Length: 10\r\n".encode())

    def ask():
        try:
            while True:
                view.browser.ask("images?sort=path")
        except (OSError, http.client.HTTPException):
            pass

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    start = time.monotonic()
    code, remarks = view.stop()
    assert code == 0
    assert time.monotonic() - start < 5
    assert "Traceback" not in remarks
    for thread in threads:
        thread.join()
    for each in idle:
        each.close()


def test_marks_are_in_the_run_when_it_ends(viewing):
    run = make()
    view = viewing()
    mark = {"verdict": "wrong label", "label": "dog", "remark": ""}
    status, _, _ = view.browser.write("marks", json.dumps({"changes": [[3, mark]]}).encode())
    assert status == 200
    code, remarks = view.stop()
    assert code == 0
    assert "1 marked image in run/marks.json" in remarks
    assert json.loads(run.marks_file.read_text())["marks"][0]["label"] == "dog"
    again = viewing()
    assert json.loads(again.browser.ask("marks")[2]) == {"3": mark}


def test_two_programs_serve_one_run_and_each_counts_what_the_file_holds(viewing):
    run = make()
    both = [viewing(), viewing()]
    for row, view in enumerate([*both, *both]):
        changes = {"changes": [[row, {"verdict": "ambiguous"}]]}
        assert view.browser.write("marks", json.dumps(changes).encode())[0] == 200
    for view in both:
        code, remarks = view.stop()
        assert code == 0
        assert "4 marked images in run/marks.json" in remarks
    kept = json.loads(run.marks_file.read_text())["marks"]
    assert [mark["row"] for mark in kept] == [0, 1, 2, 3]


def test_json_says_where_it_is_at_once(viewing):
    run = make()
    view = viewing("run --json")
    said = json.loads(view.said)
    assert said["command"] == "view"
    assert said["run_hash"] == run.info.run_hash
    assert said["address"] == view.address
    assert said["port"] == view.server_port
    assert view.stop()[0] == 0


def test_quiet_it_says_no_more_than_where_it_is(viewing):
    make()
    view = viewing("run -q")
    assert view.said == f"{view.address}\n"
    assert view.stop() == (0, "")


def test_the_port_may_be_chosen_and_must_be_free(viewing):
    make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(f"view run --port {port}", exit_code=2)
    assert f"--port {port}: address already in use" in said
    view = viewing(f"run --port {port}")
    assert view.server_port == port
    assert view.stop()[0] == 0


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8000.5", ""])
def test_what_is_no_port_is_refused(port):
    make()
    assert call(["view", "run", "--port", port]).exit_code == 2


def test_what_is_no_run_is_refused():
    assert "is no run folder" in refused("view nothing", exit_code=3)
    run = make()
    assert "is no folder" in refused("view run --data-root gone", exit_code=2)
    run.marks_file.write_text("{")
    assert "marks.json" in refused("view run", exit_code=3)
    run.metrics_file.unlink()
    assert "no metrics" in refused("view run", exit_code=3)


def test_what_is_left_at_work_is_left_behind(monkeypatch):
    monkeypatch.setattr(signals, "_left_behind", [])
    assert not signals.leaves_at_once(0)
    assert signals.leaves_at_once(130)
    signals.leave_threads_behind()
    assert signals.leaves_at_once(0)


def test_a_port_that_is_not_to_be_had_is_said(monkeypatch):
    def deny(*_given, **_how):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(command, "PageServer", deny)
    make()
    assert "--port 80: permission denied" in refused("view run --port 80", exit_code=2)


def test_no_torch_before_a_heat_map_is_asked_for():
    make()
    code = """
import sys
from pathlib import Path
from errlens.commands.view import command
from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.run.folder import open_run

prepare(open_run("run"), ViewOptions(run=Path("run")))
print(*{"torch", "timm", "matplotlib", "captum"} & {*sys.modules})
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "\n"

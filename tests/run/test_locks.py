import errno
import subprocess
import sys
import threading
import time

import pytest

from errlens.run.locks import locked

HOLD = "import sys, time\nfrom pathlib import Path\nfrom errlens.run.locks import locked\n"


def test_only_one_thread_at_a_time_is_inside(tmp_path):
    inside, most, barrier = [], [], threading.Barrier(8)

    def enter():
        barrier.wait()
        for _ in range(20):
            with locked(tmp_path / "folder"):
                inside.append(None)
                most.append(len(inside))
                time.sleep(0)
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 160
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    code = f"{HOLD}with locked(Path(sys.argv[1])):\n    print('in', flush=True)\n    time.sleep(60)"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "folder")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "in\n"
    assert (tmp_path / ".folder.lock").exists()
    entered = threading.Event()

    def enter():
        with locked(tmp_path / "folder"):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
    holder.kill()
    holder.communicate()
    thread.join(10)
    assert entered.is_set()
    assert not list(tmp_path.iterdir())


def test_the_lock_is_free_after_a_failure(tmp_path):
    with pytest.raises(ValueError, match="inside"), locked(tmp_path / "folder"):
        raise ValueError("inside")
    with locked(tmp_path / "folder"):
        assert (tmp_path / ".folder.lock").exists()


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / ".folder.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), locked(tmp_path / "folder"):  # noqa: PT011 - its number differs
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_is_no_failure(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "folder"):
        pass
    assert not list(tmp_path.iterdir())

import io
import time
from types import SimpleNamespace

import pytest

from errlens import streams
from errlens.streams import passing_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(streams, "PATIENCE", 0.01)
    monkeypatch.setattr(streams, "sys", SimpleNamespace(stderr=Terminal()))
    return streams.sys.stderr


def left_on(terminal):
    """Return the line as it looks in the end, by what the two control sequences mean."""
    return terminal.getvalue().rpartition("\r\x1b[K")[2]


def test_a_passing_line_follows_what_goes_on_and_leaves_nothing(terminal):
    texts = iter(["loading torch", "loading timm"])
    shown = ["loading pandas"]
    with passing_line(lambda: shown[-1]):
        while shown[-1] not in terminal.getvalue():
            time.sleep(0.005)
        for text in texts:
            shown.append(text)
            while text not in terminal.getvalue():
                time.sleep(0.005)
        assert left_on(terminal) == "loading timm"
    assert left_on(terminal) == ""


def test_a_passing_line_is_taken_away_where_the_work_fails(terminal):
    def work():
        while not terminal.getvalue():
            time.sleep(0.005)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), passing_line(lambda: "loading"):
        work()
    assert left_on(terminal) == ""


def test_what_is_done_at_once_says_nothing(terminal, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE", 60)
    with passing_line(lambda: "loading"):
        pass
    assert terminal.getvalue() == ""


def test_a_file_is_not_told_what_would_have_to_be_taken_away(terminal, monkeypatch):
    monkeypatch.setattr(terminal, "isatty", lambda: False, raising=False)
    wait_a_while()
    assert terminal.getvalue() == ""


def test_nor_is_a_terminal_that_cannot_take_it_away(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    wait_a_while()
    assert terminal.getvalue() == ""


def wait_a_while():
    with passing_line(lambda: "loading"):
        time.sleep(0.05)

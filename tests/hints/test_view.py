"""Hints of `errlens view`, which lasts until it is stopped."""

import socket

from errlens import signals
from errlens.commands.view import command
from tests.hints.walking import IN_TABLES, Walk


@IN_TABLES
def test_where_a_port_is_taken_another_one_is(walk: Walk, monkeypatch):
    monkeypatch.setattr(command.PageServer, "serve_until", lambda _server, _is_over: None)
    monkeypatch.setattr(signals, "_left_behind", [])  # the tests are to end as they always do
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = walk.refused(
            f"view run --port {taken.getsockname()[1]}",
            "commands.view.command.bound:hint",
            until=2,
        )
        assert "leave --port out" in said.hint
        walk.ends("view run", says="http://127.0.0.1:")

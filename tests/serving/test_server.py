"""What a server answers to whom, asked through real sockets."""

import socket
import time

import pytest

from errlens.serving.server import LARGEST_BODY, PageServer


def test_the_page_is_where_the_address_says(server, visitor):
    assert server.address == f"http://127.0.0.1:{server.server_port}/a-token/"
    status, headers, content = visitor.ask()
    assert (status, content) == (200, b"<p>page")
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_every_answer_has_the_headers_that_keep_it_to_itself(visitor):
    for name in ("", "echo", "nothing"):
        _, headers, _ = visitor.ask(name)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
        assert "Access-Control-Allow-Origin" not in headers
        assert "Python" not in headers["Server"]


def test_without_the_token_nothing_is_there(visitor):
    for path in (
        "/",
        "/a-token",
        "/b-token/",
        "/a-token/../a-token/",
        "/%61-token/",
        "/a-token%2f",
    ):
        status, _, content = visitor.ask(path=path)
        assert (status, content) == (404, b"nothing is here")
    status, _, content = visitor.ask(path="/b-token/", Host="evil.example")
    assert status == 404  # and not a word on what the name should be


@pytest.mark.parametrize(
    "name",
    [
        "../run.json",
        "..%2frun.json",
        "%2e%2e/run.json",
        "/etc/passwd",
        "run.json",
        "a\\..\\b",
        "%00",
    ],
)
def test_only_routes_are_there(visitor, name):
    assert visitor.ask(name)[0] == 404


def test_a_name_that_comes_to_lead_here_is_refused(visitor):
    assert visitor.ask(Host=f"localhost:{visitor.port}")[0] == 200
    for host in ("evil.example", f"evil.example:{visitor.port}", "127.0.0.1"):
        assert visitor.ask(Host=host)[0] == 421


def test_head_is_get_without_the_content(visitor):
    status, headers, content = visitor.ask(method="HEAD")
    assert (status, content, headers["Content-Length"]) == (200, b"", "7")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "X"])
def test_other_methods_are_not_known(visitor, method):
    status, headers, content = visitor.ask(method=method)
    assert status == 501
    assert headers["Connection"] == "close"
    assert b"<" not in content


def test_only_the_page_writes_and_only_where_something_is_written(visitor, written):
    assert visitor.write("marks", b"{}")[0] == 200
    assert written == [b"{}"]
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        assert visitor.write("marks", b"{}", **headers)[0] == 403
    assert visitor.write("marks", b"{}", Content_Type="text/plain")[0] == 415
    assert visitor.write("marks", b"{}", Content_Length=str(LARGEST_BODY + 1))[0] == 413
    assert visitor.write("marks", b"{}", Transfer_Encoding="chunked")[0] == 411
    assert visitor.write("echo", b"{}")[0] == 405
    assert visitor.write("marks?x=1", b"{}")[0] == 405
    assert visitor.ask("marks", method="POST", body=b"{}")[0] == 403
    assert written == [b"{}"]


def test_a_body_where_none_belongs_is_no_second_request(visitor):
    smuggled = f"GET /a-token/ HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\n\r\n"
    for length in (f"Content-Length: {len(smuggled)}", "Transfer-Encoding: chunked"):
        request = (
            f"GET /a-token/echo HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\n{length}\r\n\r\n"
        )
        said = visitor.raw((request + smuggled).encode())
        assert said.count(b"HTTP/1.1") == 1
        assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET", b"GET /a-token/", b"GET /a-token/ HTTP/9.9", b"\x16\x03\x01\x02\x00", b"\0" * 50,
        b"GET " + b"/" * 70_000 + b" HTTP/1.1", b"GET /\xff\xfe HTTP/1.1", b"PRI * HTTP/2.0",
        b"GET <script>alert(1)</script> x y",
    ],
)  # fmt: skip
def test_what_is_no_request_ends_with_a_sentence_or_nothing(visitor, request_line):
    said = visitor.raw(request_line + b"\r\n\r\n")
    assert b"Traceback" not in said
    assert b"<p>page" not in said
    assert b"script" not in said
    assert visitor.ask()[0] == 200


def test_headers_without_end_are_refused(visitor):
    many = "".join(f"X-{number}: x\r\n" for number in range(200))
    said = visitor.raw(f"GET /a-token/ HTTP/1.1\r\n{many}\r\n".encode())
    assert said.startswith(b"HTTP/1.1 431")


def test_several_requests_share_a_connection(visitor):
    one = f"GET /a-token/echo?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\n"
    said = visitor.raw(f"{one}\r\n{one}Connection: close\r\n\r\n".encode())
    assert said.count(b"HTTP/1.1 200") == 2


def test_a_bug_is_told_on_the_terminal_and_ends_nothing(visitor, capfd):
    status, _, content = visitor.ask("bug")
    assert status == 500
    assert b"Zero" not in content
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert visitor.ask()[0] == 200


def test_many_that_ask_for_nothing_keep_nobody_out(server, visitor):
    idle = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(40)]
    try:
        for each in idle[:20]:
            each.sendall(b"GET /a-token/ HTTP/1.1\r\nX-Slow: ")
        for _ in range(20):
            assert visitor.ask()[0] == 200
    finally:
        for each in idle:
            each.close()


def test_a_request_that_comes_letter_by_letter_is_ended(server):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=0.05) as slow:
        start, is_over = time.monotonic(), False
        while not is_over and time.monotonic() < start + 5:
            try:
                slow.sendall(b"G")
                is_over = slow.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                is_over = True
        assert is_over


def test_a_body_that_does_not_come_is_not_waited_for(visitor, written):
    own = f"Host: 127.0.0.1:{visitor.port}\r\nOrigin: http://127.0.0.1:{visitor.port}\r\n"
    said = visitor.raw(
        f"POST /a-token/marks HTTP/1.1\r\n{own}"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{}".encode()
    )
    assert b"200" not in said
    assert written == []


def test_a_reader_that_goes_away_leaves_no_trace(server, capfd):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.server_port)) as gone:
            gone.sendall(b"GET /a-token/ HTTP/1.1\r\n")
    time.sleep(0.1)
    assert capfd.readouterr().err == ""


def test_only_this_machine_is_listened_to(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_two_servers_do_not_share_a_port(server):
    with pytest.raises(OSError, match="in use"):
        PageServer({}, port=server.server_port)

from email.message import Message
from http import HTTPStatus

import pytest

from errlens.serving.answers import Refused
from errlens.serving.guard import check_source, content_length, new_token, target_of

OWN = {"Host": "127.0.0.1:8000"}
ORIGIN = {"Origin": "http://127.0.0.1:8000"}


def headers(*fields, **more):
    message = Message()
    for field in fields:
        for name, value in field.items():
            message[name] = value
    for name, value in more.items():
        message[name] = value
    return message


def refused(function, *given, **how):
    with pytest.raises(Refused) as caught:
        function(*given, **how)
    return caught.value.status


def asks(*fields, port=8000, writes=False, opens=False):
    check_source(headers(*fields), port, writes=writes, opens=opens)


def test_tokens_cannot_be_guessed():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= 32 for token in tokens)


def test_the_name_behind_the_token_is_what_is_asked_for():
    assert target_of("/secret/", "secret") == ("", "")
    assert target_of("/secret/images?true=a/b&text=?", "secret") == ("images", "true=a/b&text=?")


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//", "/secret", "secret/", "/secre/", "/secrets/", "/SECRET/", "/secret/a/b",
        "//secret/", "/secret//", "/secret/../secret/", "/./secret/", "/%73ecret/", "/secret%2f",
        "/secret\\", "/?/secret/", "http://127.0.0.1/secret/", "/s\xe9cret/", "/secret/../../etc",
        "/secret/images/", "*", "/secret/%2e%2e/", "/\0secret/",
    ],
)  # fmt: skip
def test_any_other_path_is_not_there(path):
    assert refused(target_of, path, "secret") == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "..", "%00", "run.json", "images%3f"])
def test_names_are_taken_letter_by_letter(name):
    assert target_of(f"/secret/{name}", "secret") == (name, "")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LocalHost:8000"])
def test_this_machine_has_two_names(host):
    asks({"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8000", "127.0.0.1", "localhost:8001", "127.0.0.1:8000.evil.example", "",
        "0.0.0.0:8000", "[::1]:8000", "127.0.0.1:08000", "127.0.0.2:8000", "localhost.:8000",
        "evil@127.0.0.1:8000",
    ],
)  # fmt: skip
def test_a_name_of_somebody_else_is_refused(host):
    assert refused(asks, {"Host": host}) == HTTPStatus.MISDIRECTED_REQUEST


def test_no_name_and_two_names_are_refused():
    assert refused(asks) == HTTPStatus.MISDIRECTED_REQUEST
    assert refused(asks, OWN, {"Host": "evil.example"}) == HTTPStatus.MISDIRECTED_REQUEST


def test_the_port_of_the_web_is_left_out_by_browsers():
    asks({"Host": "localhost"}, port=80)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd", ""])
def test_what_another_page_asks_is_refused(site):
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert refused(asks, OWN, said) == HTTPStatus.FORBIDDEN
    assert refused(asks, OWN, said, opens=True) == HTTPStatus.FORBIDDEN
    assert refused(asks, OWN, ORIGIN, said, writes=True) == HTTPStatus.FORBIDDEN


def test_a_link_on_another_page_may_open_this_one():
    asks(OWN, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, opens=True)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000", "",
        "http://127.0.0.1:8000.evil.example", "http://localhost:8000", "http://127.0.0.1",
    ],
)  # fmt: skip
def test_only_the_page_writes(origin):
    assert refused(asks, OWN, {"Origin": origin}, writes=True) == HTTPStatus.FORBIDDEN
    assert refused(asks, OWN, {"Origin": origin}) == HTTPStatus.FORBIDDEN


def test_who_writes_says_where_from():
    asks(OWN, ORIGIN, writes=True)
    asks(OWN, ORIGIN, {"Sec-Fetch-Site": "same-origin"}, writes=True)
    assert refused(asks, OWN, writes=True) == HTTPStatus.FORBIDDEN
    assert refused(asks, OWN, ORIGIN, ORIGIN, writes=True) == HTTPStatus.FORBIDDEN


JSON = {"Content-Type": "application/json; charset=utf-8"}


def test_a_body_says_how_long_it_is():
    assert content_length(headers(JSON, {"Content-Length": "10"}), most=10) == 10
    for fields, status in [
        ([JSON], HTTPStatus.LENGTH_REQUIRED),
        ([JSON, {"Content-Length": "1"}, {"Content-Length": "2"}], HTTPStatus.LENGTH_REQUIRED),
        (
            [JSON, {"Content-Length": "1"}, {"Transfer-Encoding": "chunked"}],
            HTTPStatus.LENGTH_REQUIRED,
        ),
        ([JSON, {"Content-Length": "11"}], HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ([JSON, {"Content-Length": "9" * 5000}], HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ([{"Content-Length": "1"}], HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (
            [{"Content-Type": "text/plain"}, {"Content-Length": "1"}],
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ),
        *(
            ([JSON, {"Content-Length": odd}], HTTPStatus.BAD_REQUEST)
            for odd in ("-1", "+1", "1e3", "٣", "", "0x1", "1_0")
        ),
    ]:
        assert refused(content_length, headers(*fields), most=10) == status, fields

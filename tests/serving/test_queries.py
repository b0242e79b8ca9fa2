from http import HTTPStatus

import pytest

from errlens.serving.answers import Refused
from errlens.serving.queries import Query
from errlens.serving.views import FIELDS, MOST_ROWS, View, read_part, read_view

KNOWN = ("row", "text", "from")


def status_of(read):
    with pytest.raises(Refused) as caught:
        read()
    return caught.value.status


@pytest.mark.parametrize(
    "row",
    [
        "", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "%C2%B9", "%D9%A3", "nan", "1%00", "'1",
        "1;2", "1,2", "9" * 13, "9" * 5000, "../1", "%2e%2e",
    ],
)  # fmt: skip
def test_what_is_no_row_is_refused(row):
    assert status_of(lambda: Query(f"row={row}", KNOWN).row("row", n=10)) == HTTPStatus.BAD_REQUEST


def test_a_row_beyond_the_last_is_not_there():
    assert Query("row=9", KNOWN).row("row", n=10) == 9
    for row in ("10", "999999999999"):
        assert (
            status_of(lambda row=row: Query(f"row={row}", KNOWN).row("row", n=10))
            == HTTPStatus.NOT_FOUND
        )


def test_a_field_stands_there_once_unless_it_may_repeat():
    query = Query("row=1&row=2", KNOWN)
    assert query.rows("row", n=10) == [1, 2]
    assert status_of(lambda: query.row("row", n=10)) == HTTPStatus.BAD_REQUEST
    assert status_of(lambda: Query("", KNOWN).row("row", n=10)) == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "text", ["other=1", "row=1&x", f"text={'a' * 301}", "text=%00", "text=%ff", "row=1&" * 3000]
)
def test_queries_of_another_kind_are_refused(text):
    assert status_of(lambda: Query(text, KNOWN)) == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "a", "1,5"])
def test_only_finite_numbers_are_numbers(number):
    query = Query(f"from={number}", KNOWN)
    assert status_of(lambda: query.number("from")) == HTTPStatus.BAD_REQUEST


def test_a_view_is_read_as_the_page_writes_it():
    query = Query(
        "true=a%2Fb&true=c+d&pred=%C3%A9&side=wrong&from=0.5&to=1&finding=2&text=x%26y"
        "&marked=wrong+label&sort=loss&down=true&start=60&most=60",
        FIELDS,
    )
    assert read_view(query) == View(
        true=("a/b", "c d"), pred=("é",), side="wrong", lowest=0.5, highest=1.0, finding=2,
        text="x&y", marked="wrong label", sort="loss", down=True,
    )  # fmt: skip
    assert read_part(query) == (60, 60)


def test_what_is_absent_filters_nothing():
    assert read_view(Query("side=&text=", FIELDS)) == View()
    assert read_part(Query("", FIELDS)) == (0, MOST_ROWS)
    assert read_part(Query("most=999999999999", FIELDS)) == (0, MOST_ROWS)


@pytest.mark.parametrize("text", ["side=left", "down=1", "finding=-1", "start=-1", "most=x"])
def test_a_view_of_another_kind_is_refused(text):
    query = Query(text, FIELDS)
    assert status_of(lambda: (read_view(query), read_part(query))) == HTTPStatus.BAD_REQUEST

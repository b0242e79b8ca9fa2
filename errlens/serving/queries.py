"""What stands behind the question mark of a request, read strictly."""

import math
import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from errlens.serving.answers import Refused

_MOST_FIELDS: Final = 2_000
_LONGEST: Final = 300  # letters of a value
_WHOLE: Final = re.compile("[0-9]{1,12}")


class Query:
    """The fields of a query by name; each may stand there several times."""

    def __init__(self, text: str, known: Collection[str]) -> None:
        """Read a query.

        Raises:
            Refused: It is none, or has a field that is not among the known.
        """
        try:
            fields = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            )
        except ValueError as error:
            raise _wrong("this is no query") from error
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            if name not in known:
                raise _wrong(f"this takes {', '.join(sorted(known)) or 'nothing'}")
            if len(value) > _LONGEST or "\0" in value:
                raise _wrong(f"{name} is too long, or holds what is no letter")
            self._values.setdefault(name, []).append(value)

    def all(self, name: str) -> tuple[str, ...]:
        """Return what a field holds, wherever it stands."""
        return tuple(self._values.get(name, ()))

    def text(self, name: str) -> str | None:
        """Return what a field holds; None where it is not given, or empty."""
        values = self.all(name)
        if len(values) > 1:
            raise _wrong(f"{name} is given twice")
        return values[0] if values and values[0] else None

    def one_of(self, name: str, known: Collection[str]) -> str | None:
        """Return one of some words."""
        value = self.text(name)
        if value is not None and value not in known:
            raise _wrong(f"{name} is one of {', '.join(known)}")
        return value

    def flag(self, name: str) -> bool:
        """Tell whether something is wanted; what is not given is not."""
        return self.one_of(name, ("true", "false")) == "true"

    def number(self, name: str) -> float | None:
        """Return a number that is finite."""
        value = self.text(name)
        try:
            number = None if value is None else float(value)
        except ValueError as error:
            raise _wrong(f"{name} is a number") from error
        if number is not None and not math.isfinite(number):
            raise _wrong(f"{name} is a number")
        return number

    def whole(self, name: str) -> int | None:
        """Return a number of a few plain digits."""
        value = self.text(name)
        return None if value is None else _whole(name, value)

    def rows(self, name: str, *, n: int) -> list[int]:
        """Return rows of a run with n images, at least one.

        Raises:
            Refused: One is none.
        """
        rows = [_whole(name, value) for value in self.all(name)]
        if not rows:
            raise _wrong(f"{name} is missing")
        if max(rows) >= n:
            raise Refused(HTTPStatus.NOT_FOUND, f"the last row of the run is {n - 1}")
        return rows

    def row(self, name: str, *, n: int) -> int:
        """Return one row, as `rows` does."""
        rows = self.rows(name, n=n)
        if len(rows) > 1:
            raise _wrong(f"{name} is given twice")
        return rows[0]


def _whole(name: str, value: str) -> int:
    if not _WHOLE.fullmatch(value):
        raise _wrong(f"{name} is a whole number")
    return int(value)


def _wrong(why: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, why)

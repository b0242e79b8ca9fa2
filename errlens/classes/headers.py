"""The header of a table that a user made: what divides its columns, and what they are called."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from errlens.classes.spelling import folded, tidied


class Header(NamedTuple):
    """The delimiter of a text table, and its columns as they are written."""

    delimiter: str
    columns: list[str]


def read_header(lines: Iterable[str], *, wanted: Collection[str]) -> Header:
    r"""Return the header of a text table: its first line that is not blank.

    The delimiter is the one that makes most of the names wanted; if none does, most cells.

    >>> read_header(["\n", "path;label;size, bytes\n"], wanted=("path", "label"))
    Header(delimiter=';', columns=['path', 'label', 'size, bytes'])
    """
    line = next((line.strip() for line in lines if line.strip()), "")
    headers = [Header(mark, next(csv.reader([line], delimiter=mark), [])) for mark in ",;\t|"]
    return max(headers, key=lambda header: (named(header, wanted), len(header.columns)))


def named(header: Header, wanted: Collection[str]) -> int:
    """Return how many of the columns wanted a header has."""
    return len({*tidied_headers(header.columns, wanted=wanted)} & {*wanted})


def tidied_headers(names: Sequence[str], *, wanted: Collection[str]) -> list[str]:
    """Return the names of columns tidied, but for those wanted as they are, and twins.

    A column that is one of those wanted but for case, blank, `_` and `-` gets that name, if it is
    the only one.

    >>> tidied_headers(["path", " label", "\ufeffpred"], wanted={"path", "label"})
    ['path', 'label', 'pred']
    >>> tidied_headers(["Path", "LABEL", "Label"], wanted={"path", "label"})
    ['path', 'LABEL', 'Label']
    """
    plain = [name if name in wanted else tidied(str(name)) for name in names]
    spelt = Counter(map(folded, plain))
    meant = {folded(name): name for name in wanted if name not in plain}
    plain = [meant.get(folded(name), name) if spelt[folded(name)] == 1 else name for name in plain]
    count = Counter(plain)
    return [
        name if count[short] > 1 or not short else short
        for name, short in zip(names, plain, strict=True)
    ]

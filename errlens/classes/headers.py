"""The header of a table that a user made: what divides its columns, and what they are called."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from errlens.classes.spelling import folded, tidied

_DELIMITER: Final = re.compile(r"sep=(.)", re.IGNORECASE)


# What programs call the column of predicted classes, folded.
CALLED_PRED: Final = (
    "prediction", "predictions", "predicted", "predicted label", "predicted class", "pred name",
    "pred label", "pred class", "y pred", "y hat", "output", "guess",
)  # fmt: skip


class Header(NamedTuple):
    """The delimiter of a text table, its columns as they are written, and the lines up to these."""

    delimiter: str
    columns: list[str]
    lines: int = 1


def holds_predictions(columns: Iterable[str]) -> bool:
    """Tell whether columns are called like those of predictions, not of a list of images.

    >>> holds_predictions(["id", "label", "y_pred"]), holds_predictions(["image", "label", "site"])
    (True, False)
    """
    return any(
        folded(name) in ("pred", *CALLED_PRED) or name.casefold().startswith(("prob_", "logit_"))
        for name in columns
    )


def read_header(lines: Iterable[str], *, wanted: Collection[str]) -> Header:
    r"""Return the header of a text table: its first line that is not blank.

    The delimiter is the one that makes most of the names wanted; if none does, most cells. A line
    like `sep=;` before the header is a spreadsheet's note of it.

    >>> read_header(["\n", "path;label;size, bytes\n"], wanted=("path", "label"))
    Header(delimiter=';', columns=['path', 'label', 'size, bytes'], lines=2)
    >>> read_header(["sep=|\n", "path|label\n"], wanted=())
    Header(delimiter='|', columns=['path', 'label'], lines=2)
    """
    filled = ((number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())
    number, line = next(filled, (1, ""))
    marks = ",;\t|"
    if noted := _DELIMITER.fullmatch(line):
        number, line = next(filled, (number, ""))
        marks = noted[1]
    headers = [Header(mark, next(csv.reader([line], delimiter=mark), []), number) for mark in marks]
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

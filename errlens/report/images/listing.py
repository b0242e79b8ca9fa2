"""All images of a run in a few numbers each: what the page finds, filters and sorts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.findings.finding import Finding
from errlens.analysis.selection.picking import Selectable
from errlens.escapes import printable
from errlens.predictions.table import OK, Predictions
from errlens.report.images.properties import ImageProperty

_LEAST: Final = 40  # bytes of an image: its path, two classes and four numbers
_DIGITS: Final = 6
_MEASURED_DIGITS: Final = 4  # one more than is ever shown of a property
_INFINITE: Final = 3.40282e38  # JSON has no word for it; more than any other loss
_NUMBERS: Final = ("confidence", "label_prob", "loss", "margin")


def by_worth(among: Selectable) -> NDArray[np.int64]:
    """Return all rows of a run: errors as they are ranked, then the others in their order."""
    is_other = np.ones(len(among.table), bool)
    is_other[among.ranking] = False
    return np.concatenate([among.ranking, np.flatnonzero(is_other)]).astype(np.int64)


def list_images(
    images: Predictions,
    worth: NDArray[np.int64],
    properties: Sequence[ImageProperty],
    findings: Sequence[Finding],
    *,
    budget: int,
) -> dict[str, Any]:
    """Return what the page knows of images, column by column, as plain values.

    They are listed in the order of the run; where they are too many, by worth as far as there is
    room. `rows` are those listed, None where all are. Numbers have six digits that count,
    those of `measured` four, and are None where they are not known; `label` and `pred` are class
    indices, -1 where there is none; `correct` is 1, 0 or -1.

    Args:
        images: A run, with the columns of `analysis.mistakes.ranking` and `status`.
        worth: The rows to be listed, those first that matter most.
        properties: What else is known of them.
        findings: As they are ranked.
        budget: How many bytes of JSON there may be, findings included.
    """
    told = _told(findings, budget // 4)
    rows = _as_many_as_fit(images, worth, properties, budget - sum(map(_size_of_finding, told)))
    listed = np.zeros(len(images), bool)
    listed[rows] = True
    return {
        "n": len(images),
        "rows": None if listed.all() else rows.tolist(),
        **_columns(images, properties, rows),
        "label_text": _label_texts(images, listed),
        "status": _statuses(images, listed),
        "findings": [
            {**finding, "rows": [row for row in finding["rows"] if listed[row]]} for finding in told
        ],
    }


def _told(findings: Sequence[Finding], budget: int) -> list[dict[str, Any]]:
    """Return findings with their images, those first that tell most, as far as there is room."""
    about = [(rank, finding) for rank, finding in enumerate(findings, start=1) if finding.rows]
    told: list[dict[str, Any]] = [
        {"rank": rank, "title": printable(finding.statement), "rows": finding.rows}
        for rank, finding in about
    ]
    if sum(map(_size_of_finding, told)) <= budget:
        return told
    most = budget // len(told) // (_size(max(max(finding.rows) for _, finding in about)) + 1)
    return [{**finding, "rows": finding["rows"][:most]} for finding in told]


def _size_of_finding(finding: Mapping[str, Any]) -> int:
    rows = finding["rows"]
    return _size(finding["title"]) + 40 + sum(map(_size, rows)) + len(rows)


def _as_many_as_fit(
    images: Predictions,
    worth: NDArray[np.int64],
    properties: Sequence[ImageProperty],
    left: int,
) -> NDArray[np.int64]:
    """Return rows in their order if they fit into so many bytes, else the first that do."""
    first = worth[: max(0, left) // _LEAST]
    ends = np.cumsum(_sizes(images, properties, first) + _size(len(images)) + 1)
    fitting = first[: int(np.searchsorted(ends, left, "right"))]
    return fitting if len(fitting) < len(worth) else np.sort(worth)


def _columns(
    images: Predictions, properties: Sequence[ImageProperty], rows: NDArray[np.int64]
) -> dict[str, Any]:
    """Return what is known of rows, column by column."""
    table = images.table.select(["path", "label", "pred", "correct", *_NUMBERS]).take(rows)
    return {
        **{name: table[name].fill_null(-1).to_pylist() for name in ("label", "pred")},
        "correct": pc.fill_null(table["correct"].cast("int8"), -1).to_pylist(),
        **{name: rounded(table[name].to_numpy().astype(np.float64), _DIGITS) for name in _NUMBERS},
        "path": [printable(path) for path in table["path"].to_pylist()],
        "measured": [
            {
                "name": each.name,
                "title": each.title,
                "values": rounded(each.numbers(rows), _MEASURED_DIGITS),
            }
            for each in properties
            if each.is_number
        ],
    }


def rounded(values: NDArray[np.float64], digits: int) -> list[float | int | None]:
    """Return numbers with so many digits that count, as short as JSON has them.

    >>> rounded(np.array([0.1234567, 1.0, 640.0, np.nan, np.inf]), 4)
    [0.1235, 1, 640, None, 3.40282e+38]
    """
    finite = np.where(np.isinf(values), np.sign(values) * _INFINITE, values)
    return [None if value != value else _short(value, digits) for value in finite.tolist()]


def _short(value: float, digits: int) -> float | int:
    if value.is_integer() and abs(value) < 10**9:
        return int(value)
    return value if abs(value) == _INFINITE else float(f"{value:.{digits}g}")


def _sizes(
    images: Predictions, properties: Sequence[ImageProperty], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many bytes of the page each row takes."""
    columns = _columns(images, properties, rows)
    measured = columns.pop("measured")
    sizes = np.zeros(len(rows), np.int64)
    for values in [*columns.values(), *(each["values"] for each in measured)]:
        sizes += np.fromiter(map(_size, values), np.int64, len(rows)) + 1
    # Its status, or the name of a label that the model lacks.
    table = images.table.select(["status", "label_name"]).take(rows)
    is_odd = pc.not_equal(table["status"].cast("string"), OK).to_numpy()
    names = [_size(name) for name in table["label_name"].filter(is_odd).to_pylist()]
    sizes[is_odd] += np.array(names, np.int64) + 40
    return sizes


def _size(value: Any) -> int:
    """Return how many bytes of the page a value takes.

    >>> _size("it's"), _size(0.25), _size(None)
    (11, 4, 4)
    """
    if isinstance(value, str):
        return len(json.dumps(value)) + sum(5 * value.count(letter) for letter in "<>&'")
    return 4 if value is None else len(repr(value))


def _statuses(images: Predictions, listed: NDArray[np.bool_]) -> dict[str, str]:
    """Return the status of each image listed that is not ok, by row."""
    status = images.table["status"].cast("string")
    rows = np.flatnonzero(pc.not_equal(status, OK).to_numpy() & listed)
    return dict(zip(map(str, rows.tolist()), status.take(rows).to_pylist(), strict=True))


def _label_texts(images: Predictions, listed: NDArray[np.bool_]) -> dict[str, str]:
    """Return the labels that are none of the classes, by row."""
    table = images.table
    unknown = pc.and_(pc.is_null(table["label"]), pc.is_valid(table["label_name"])).to_numpy()
    rows = np.flatnonzero(unknown & listed)
    names = table["label_name"].cast("string").take(rows).to_pylist()
    return {str(row): printable(name) for row, name in zip(rows.tolist(), names, strict=True)}

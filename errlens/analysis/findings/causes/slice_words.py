"""What slices are called: sentences for people, thresholds in as few digits as tell the images."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens import formats
from errlens.analysis.findings.causes.slice_columns import Column
from errlens.analysis.findings.causes.slice_tests import ALL, LOW, VALUE
from errlens.errors import shortened

_PLAIN: Final = re.compile(r"[^\W\d_][\w .-]{0,40}")
_MOST_DIGITS: Final = 8
_NEAR: Final = 0.02  # of the images of a tail may change side for a threshold that is written shorter


class Property(Protocol):
    """What a measured property is called: its two ends as in "dark images" and "bright images"."""

    kind: str
    name: str
    low: str
    high: str
    write: Callable[[float], str]


Properties = Mapping[str, Property]


def threshold_of(order: NDArray[np.float64], k: int) -> tuple[float, int]:
    """Return a value in few digits that ends the first k images, and how many it does end.

    Args:
        order: Values in ascending order, of which the first k and the next differ; images up to the
            threshold, itself included, are inside.
        k: How many are to be inside, less than all.

    >>> threshold_of(np.array([0.1, 0.2, 0.3149, 0.3252, 0.5]), 3)
    (0.32, 3)
    >>> threshold_of(np.array([1.0, 1.0, 2.0, 3.0]), 2)
    (1.0, 2)
    """
    edge, beyond = float(order[k - 1]), float(order[k])
    if edge.is_integer() and beyond.is_integer():
        return edge, k
    for digits in range(1, _MOST_DIGITS):
        value = float(f"{(edge + beyond) / 2:.{digits}g}")
        inside = int(np.searchsorted(order, value, side="right"))
        is_told = inside == np.searchsorted(order, value, side="left")  # "below" is exact
        if is_told and 0 < inside < len(order) and abs(inside - k) <= _NEAR * k:
            return value, inside
    return edge, k


def subject(
    column: Column,
    properties: Properties,
    *,
    side: str,
    edge: float | str | None,
    class_name: str | None = None,
) -> str:
    """Return what the images of a slice are called.

    Args:
        column: What they are alike in.
        properties: What measured columns are called.
        side: `LOW`, `HIGH` or `VALUE`.
        edge: The threshold, or the value; None for one that is missing.
        class_name: The class that it is limited to.
    """
    images = "Images" if class_name is None else f"Images of {class_name!r}"
    known = properties[column.name] if column.measured else None
    name = known.name if known else _plain(column.name)
    if side == VALUE:
        if edge is None:
            return f"{images} without a value of {name}"
        return f"{images} whose {name} is {shortened(repr(edge))}"
    assert isinstance(edge, float)
    if column.is_date:
        word = "up to" if side == LOW else "from"
        return f"{images} whose {name} is {word} {_date(edge)}"
    words = ("at most", "at least") if _is_whole(column) else ("below", "above")
    word = words[0] if side == LOW else words[1]
    if known is None:
        return f"{images} whose {name} is {word} {_number(edge, column)}"
    adjective = known.low if side == LOW else known.high
    of_class = images.removeprefix("Images")
    return f"{_capital(adjective)} images{of_class} ({name} {word} {known.write(edge)})"


def looked_for(column: Column, properties: Properties) -> str:
    """Return what is looked for in a column, as in "dark or bright images"."""
    if not column.measured:
        return f"the column {shortened(repr(column.name))}"
    known = properties[column.name]
    return f"{known.low} or {known.high} images" if known.kind == "number" else known.name


def statement(images: str, n: int, observed: int, explained: float, errors: int) -> str:
    """Return the sentence of a finding.

    >>> statement("Dark images (brightness below 0.18)", 100, 61, 37.8, 320)[36:]
    'are wrong in 61 of 100, where 23.2 are expected of their classes: 38 errors more (11.8 % of all errors).'
    """
    return (
        f"{images} are wrong in {formats.of(observed, n)}, where "
        f"{formats.expected_count(observed - explained)} are expected of their classes: "
        f"{formats.counted(round(explained), 'error')} more "
        f"({formats.share(explained / errors)} of all errors)."
    )


def _plain(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else shortened(repr(name))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _is_whole(column: Column) -> bool:
    assert column.order is not None
    return bool((np.nan_to_num(column.order) % 1 == 0).all())


def _number(value: float, column: Column) -> str:
    return formats.count(value) if _is_whole(column) else f"{value:,.{_MOST_DIGITS}g}"


def _date(seconds: float) -> str:
    text = str(pd.Timestamp(seconds, unit="s"))
    return text.removesuffix(" 00:00:00")

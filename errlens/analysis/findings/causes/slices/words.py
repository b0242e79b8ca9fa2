"""What slices are called: sentences for people, thresholds in as few digits as tell the images."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens import formats
from errlens.analysis.findings.causes.slices.columns import Column
from errlens.analysis.findings.causes.slices.evidence import LOW, VALUE
from errlens.errors import shortened

NUMBER: Final = "number"  # kinds of properties; any other is a category
TRUTH: Final = "truth"

_PLAIN: Final = re.compile(r"[^\W\d_][\w .-]{0,40}")
_MOST_DIGITS: Final = 8
_DAY: Final = 86_400.0  # seconds
_NEAR: Final = 0.02  # of the images of a tail may change side, for a threshold in fewer digits


class Property(Protocol):
    """What a measured property is called.

    `low` and `high` stand before "images" for those with small and large values of a number, or for
    those of which a truth is false and true; a category has neither. `write` is given one value.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def low(self) -> str: ...  # noqa: D102
    @property
    def high(self) -> str: ...  # noqa: D102
    @property
    def write(self) -> Callable[[Any], str]: ...  # noqa: D102


Properties = Mapping[str, Property]


def threshold_of(order: NDArray[np.float64], k: int, *, is_date: bool = False) -> tuple[float, int]:
    """Return a value in few digits that ends the first k images, and how many it does end.

    Args:
        order: Values in ascending order, of which the first k and the next differ; images up to the
            threshold, itself included, are inside.
        k: How many are to be inside, less than all.
        is_date: Whether they are seconds of dates, which whole days are to part.

    >>> threshold_of(np.array([0.1, 0.2, 0.3149, 0.3252, 0.5]), 3)
    (0.32, 3)
    >>> threshold_of(np.array([1.0, 1.0, 2.0, 3.0]), 2)
    (1.0, 2)
    """
    edge, beyond = float(order[k - 1]), float(order[k])
    between = (edge + beyond) / 2
    is_whole = edge.is_integer() and beyond.is_integer()
    shown = edge if is_whole else between
    shorter = [float(f"{shown:.{digits}g}") for digits in range(1, _MOST_DIGITS)]
    for value in [_DAY * round(between / _DAY)] if is_date else shorter:
        inside = int(np.searchsorted(order, value, side="right"))
        # Whole numbers are written as "at most", all others as "below": none may equal it.
        is_told = is_whole or inside == np.searchsorted(order, value, side="left")
        is_as_meant = 0 < inside < len(order) and abs(inside - k) <= _NEAR * k
        if is_as_meant and is_told and (not is_whole or value.is_integer()):
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
    of_class = "" if class_name is None else f" of {class_name!r}"
    known = properties[column.name] if column.measured else None
    name = known.name if known else _plain(column.name)
    if edge is None:
        return f"Images{of_class} without a value of {name}"
    if known and known.kind == TRUTH:
        return f"{_capital(known.high if edge == str(True) else known.low)} images{of_class}"
    if side == VALUE:
        return f"Images{of_class} whose {name} is {_value(str(edge), column, known)}"
    threshold = float(edge)
    is_low = side == LOW
    if column.is_date:
        word = "up to" if is_low else "from"
        return f"Images{of_class} whose {name} is {word} {_date(threshold)}"
    if _is_whole(column):
        word = "at most" if is_low else "at least"
    else:
        word = "below" if is_low else "above"
    if known is None:
        return f"Images{of_class} whose {name} is {word} {_number(threshold, column)}"
    adjective = known.low if is_low else known.high
    return f"{_capital(adjective)} images{of_class} ({name} {word} {known.write(threshold)})"


def looked_for(column: Column, properties: Properties) -> str:
    """Return what is looked for in a column, as in "dark or bright images"."""
    if not column.measured:
        return f"column {shortened(repr(column.name))}"
    known = properties[column.name]
    return f"{known.low} or {known.high} images" if known.low else known.name


def _value(value: str, column: Column, known: Property | None) -> str:
    """Write a value; a property that is a number says what it means."""
    if known and column.is_number:
        return known.write(float(value))
    return shortened(repr(value))


def statement(images: str, n: int, observed: int, explained: float, errors: int) -> str:
    """Return the sentence of a finding.

    >>> statement("Dark images", 100, 61, 37.8, 320)[:60]
    'Dark images are wrong in 61 of 100, where 23.2 are expected '
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
    return column.order is not None and bool((np.nan_to_num(column.order) % 1 == 0).all())


def _number(value: float, column: Column) -> str:
    return formats.count(value) if _is_whole(column) else f"{value:,.{_MOST_DIGITS}g}"


def _date(seconds: float) -> str:
    text = str(pd.Timestamp(seconds, unit="s"))
    return text.removesuffix(" 00:00:00")

"""What a column says of images: an order, of numbers and dates, and values that several share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.scored import Scored
from errlens.classes.spelling import folded

LEAST_SHARED: Final = 6  # images of a value; no finding has fewer errors
_MOSTLY: Final = 0.8  # of the images with text, that have to read as numbers, or as dates
_SAMPLE: Final = 2_000  # images, enough to see whether two columns have the same order
_SAME_ORDER: Final = 0.95  # rank correlation with what the model put out: it comes from there
_SAME_NAMES: Final = 0.98  # share of images whose value is their prediction
_DATE_LIKE: Final = re.compile(r"\d{1,4}[-:/.]\d\d?[-:/.]\d{1,4}([T ].*)?", re.ASCII)
_DATE_FORMATS: Final = (
    "ISO8601", "%Y:%m:%d %H:%M:%S", "%Y:%m:%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y",
)  # fmt: skip
_RIGHT_OR_WRONG: Final = (
    {"true", "false"}, {"1", "0"}, {"1.0", "0.0"}, {"yes", "no"}, {"y", "n"}, {"right", "wrong"},
    {"correct", "incorrect"}, {"correct", "wrong"}, {"ok", "error"}, {"hit", "miss"},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Column:
    """A property of n images, or a column of their manifest.

    Attributes:
        name: Of the property or column.
        measured: Whether it was measured in the images; else the manifest says so.
        order: Shape (n,), float64, NaN where there is no number; dates in seconds since 1970. None
            where the images have no order.
        is_date: Whether the order is one of dates.
        is_number: Whether its values are numbers.
        codes: Shape (n,), int32: which of `values`; -1 for one that hardly any other image has.
        values: As they are written; None is that there is no value.
        absent: Why nothing can be looked for.
    """

    name: str
    measured: bool
    order: NDArray[np.float64] | None = None
    is_date: bool = False
    is_number: bool = False
    codes: NDArray[np.int32] | None = None
    values: Sequence[str | None] = field(default=())
    absent: str = ""


def number_column(cells: pd.Series, name: str) -> Column:
    """Return what a measured number says of images: an order alone."""
    if cells.dtype != np.float64:  # else a view is enough
        cells = pd.to_numeric(cells, errors="coerce").astype("float64")
    order = cells.to_numpy()
    if not _differs(order):
        return Column(name=name, measured=True, absent=_alike(np.isnan(order)))
    return Column(name=name, measured=True, order=order)


def read_column(cells: pd.Series, name: str, *, measured: bool = False) -> Column:
    """Return what a column of any kind says of images.

    Text is a number or a date where most of it reads so, for all that a csv file holds is text;
    what does not read so remains a value, like "unknown". That there is no value is one, too:
    images without a camera may come from a scanner.
    """
    codes, uniques = _factorized(cells)
    numbers, is_date = _as_numbers(uniques, np.bincount(codes[codes >= 0], minlength=len(uniques)))
    order = np.append(numbers, np.nan)[codes]
    is_number = ~np.isnan(numbers)
    is_value = ~is_number | (numbers % 1 == 0)  # sites and days are numbers that several share
    shared, values = _shared(codes, uniques, is_value)
    is_ordered = is_number.sum() > 2 and not measured
    if len(uniques) + (codes < 0).any() <= 1:
        return Column(name=name, measured=measured, absent=_alike(codes < 0))
    if not is_ordered and not len(values):
        return Column(name=name, measured=measured, absent="hardly two images have the same value")
    return Column(
        name=name,
        measured=measured,
        order=order if is_ordered else None,
        is_date=is_date,
        is_number=bool(is_number.all()),
        codes=shared if len(values) else None,
        values=values,
    )


def repeats_the_model(column: Column, scored: Scored) -> str:
    """Say so where a column is what the model put out, or whether that is right; else nothing.

    Such a column explains every error and none.
    """
    if column.order is not None:
        sample = np.linspace(0, len(scored) - 1, min(_SAMPLE, len(scored))).astype(int)
        outputs = pd.DataFrame({"a": scored.confidence[sample], "b": scored.label_prob[sample]})
        alike = outputs.rank().corrwith(pd.Series(column.order[sample]).rank())
        if (alike.abs() >= _SAME_ORDER).any():
            return "it follows the probabilities of the model"
    if column.codes is not None:
        values = ["" if value is None else value for value in column.values]
        named = {folded(name): index for index, name in enumerate(scored.classes.names)}
        classes = np.array([*(named.get(folded(value), -1) for value in values), -1])
        if (classes[column.codes] == scored.pred).mean() >= _SAME_NAMES:
            return "" if not scored.n_errors else _if_not_the_label(classes[column.codes], scored)
        if {value.lower() for value in values} in _RIGHT_OR_WRONG:
            first = column.codes == 0
            if (first == scored.wrong).all() or (first != scored.wrong).all():
                return "it says what is right and what is wrong"
    return ""


def _if_not_the_label(classes: NDArray[np.int64], scored: Scored) -> str:
    """Say that classes are predictions where they are so in what is wrong."""
    same = (classes == scored.pred)[scored.wrong].mean()
    return "it repeats the predictions" if same > 0.5 else ""


def _factorized(cells: pd.Series) -> tuple[NDArray[np.int64], pd.Series]:
    """Return which number, date or text each cell holds, -1 for none, and these.

    Empty text is none. Text is made of what differs, not of each of a million cells.
    """
    if (numbers := _different_numbers(cells)) is not None:
        codes, different = pd.factorize(numbers)
        return codes, pd.Series(different)
    try:
        codes, uniques = pd.factorize(cells)
    except TypeError:  # lists and the like
        codes, uniques = pd.factorize(cells.map(_text, na_action="ignore"))
    values = pd.Series(uniques)
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    is_number &= not pd.api.types.is_bool_dtype(values.dtype)
    is_number &= not pd.api.types.is_complex_dtype(values.dtype)
    if is_number or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return codes, values
    texts = [*map(_text, values.astype("object")), ""]
    again, different = pd.factorize(np.array([text or None for text in texts], object))
    return again[codes], pd.Series(different, dtype="object")


def _different_numbers(cells: pd.Series) -> NDArray[np.float64] | None:
    """Return text as numbers where each cell is one and hardly two are the same, else nothing.

    There is no need of a million texts then.
    """
    few = cells.iloc[:_SAMPLE]
    if not isinstance(cells.dtype, pd.StringDtype) or few.nunique() * LEAST_SHARED <= len(few):
        return None
    if pd.to_numeric(few, errors="coerce").isna().any():
        return None
    numbers = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
    if np.isnan(numbers).any() or len(pd.unique(numbers)) * LEAST_SHARED <= len(cells):
        return None
    return numbers


def _text(cell: Any) -> str:
    """Write a cell of a column of several kinds.

    >>> _text(" a "), _text(3.0), _text(True), _text(["x"]), _text(pd.Timestamp("2024-05-01"))
    ('a', '3', 'True', "['x']", '2024-05-01')
    """
    if isinstance(cell, pd.Timestamp):
        return str(cell).removesuffix(" 00:00:00")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _as_numbers(values: pd.Series, counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], bool]:
    """Return the number of each value, NaN where it is none, and whether they are dates."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _seconds(values), True
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _finite(values), False
    numbers = _finite(pd.to_numeric(values, errors="coerce"))
    if _mostly(~np.isnan(numbers), counts):
        return numbers, False
    date_like = values.map(lambda text: _DATE_LIKE.fullmatch(text) is not None).to_numpy(bool)
    if _mostly(date_like, counts):
        for form in _DATE_FORMATS:
            dates = pd.to_datetime(values.where(date_like), format=form, errors="coerce", utc=True)
            if _mostly(dates.notna().to_numpy(), counts, of=date_like):
                return _seconds(dates), True
    return np.full(len(values), np.nan), False


def _mostly(
    which: NDArray[np.bool_], counts: NDArray[np.int64], of: NDArray[np.bool_] | None = None
) -> bool:
    """Tell whether most images have one of these values; or all but a few of those that may."""
    if of is not None:
        return bool(counts[which].sum() >= 0.99 * counts[of].sum())
    return bool(which.any() and counts[which].sum() >= _MOSTLY * counts.sum())


def _finite(values: pd.Series) -> NDArray[np.float64]:
    numbers = np.array(values.astype("float64"), np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _seconds(dates: pd.Series) -> NDArray[np.float64]:
    instants = pd.to_datetime(dates, utc=True)
    since = (instants - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(1, "s")
    return np.asarray(since, np.float64)


def _shared(
    codes: NDArray[np.int64], uniques: pd.Series, is_value: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], list[str | None]]:
    """Return the values that several images have, that of none behind them; -1 for all others."""
    n_of_each = np.bincount(codes + 1, minlength=len(uniques) + 1)
    kept = np.flatnonzero(is_value & (n_of_each[1:] >= LEAST_SHARED))
    kept = kept[np.argsort(uniques.iloc[kept].to_numpy(), kind="stable")]
    new = np.full(len(uniques) + 1, -1, np.int32)
    new[kept] = np.arange(len(kept))
    values: list[str | None] = [*map(_text, uniques.iloc[kept])]
    if n_of_each[0] >= LEAST_SHARED:
        new[-1] = len(kept)
        values.append(None)
    return new[codes], values


def _differs(order: NDArray[np.float64]) -> bool:
    known = order[~np.isnan(order)]
    return len(known) > 0 and bool(known.min() < known.max())


def _alike(missing: NDArray[np.bool_]) -> str:
    if not len(missing):
        return "there is no image"
    return "no image has a value" if missing.all() else "all images have the same value"

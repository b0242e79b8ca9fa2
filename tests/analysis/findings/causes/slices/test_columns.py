"""What a column says: numbers, dates, values and what is missing, whatever its cells are."""

import datetime

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.causes.slices.columns import number_column, read_column

N = 120
NUMBERS = [0.25 * index for index in range(N)]
DAYS = [f"2024-0{index % 9 + 1}-1{index % 7}" for index in range(N)]


def column(cells):
    return read_column(pd.Series(cells), "column")


@pytest.mark.parametrize(
    "cells",
    [
        NUMBERS,
        [str(number) for number in NUMBERS],
        pd.array(NUMBERS, dtype="Float64"),
        pd.array(NUMBERS, dtype="float64[pyarrow]"),
        pd.Categorical(NUMBERS),
    ],
    ids=["floats", "text", "nullable", "arrow", "categories"],
)
def test_numbers_have_an_order_however_they_are_stored(cells):
    read = column(cells)
    assert not read.is_date
    np.testing.assert_allclose(read.order, NUMBERS)


@pytest.mark.parametrize(
    "cells",
    [
        DAYS,
        [day.replace("-", ":") + " 00:00:00" for day in DAYS],
        [day + "T00:00:00Z" for day in DAYS],
        [".".join(reversed(day.split("-"))) for day in DAYS],
        [datetime.date.fromisoformat(day) for day in DAYS],
        pd.to_datetime(DAYS),
        pd.to_datetime(DAYS).tz_localize("UTC"),
    ],
    ids=["ISO", "EXIF", "with a zone", "German", "dates", "datetimes", "aware"],
)
def test_dates_have_an_order_however_they_are_written(cells):
    read = column(cells)
    assert read.is_date
    expected = [pd.Timestamp(day).timestamp() for day in DAYS]
    np.testing.assert_allclose(read.order, expected)


def test_month_first_is_told_from_day_first_where_a_day_is_beyond_12():
    months = pd.Series([f"0{index % 9 + 1}/{index % 15 + 13}/2024" for index in range(N)])
    days = months.str.replace(r"(..)/(..)/", r"\2/\1/", regex=True)
    np.testing.assert_array_equal(column(months).order, column(days).order)


def test_values_that_several_images_share_are_kept_and_missing_is_one():
    read = column(["A", "B", "", None, " B "] * 24)
    assert list(read.values) == ["A", "B", None]
    assert np.bincount(read.codes).tolist() == [24, 48, 48]


def test_whole_numbers_that_several_share_are_names_too():
    read = column([index % 4 for index in range(N)])
    assert read.order is not None
    assert list(read.values) == ["0", "1", "2", "3"]


def test_what_reads_as_no_number_among_numbers_stays_a_value():
    read = column(["unknown" if index % 8 == 0 else str(index + 0.5) for index in range(N)])
    assert list(read.values) == ["unknown"]
    assert np.isnan(read.order).sum() == N // 8


def test_cells_of_several_kinds_are_values():
    read = column([["a", 1, 2.5, None][index % 4] for index in range(N)])
    assert list(read.values) == ["1", "2.5", "a", None]
    assert read.order is None


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([f"file {index}" for index in range(N)], "hardly two images"),
        (["A"] * N, "the same value"),
        ([None] * N, "no image has a value"),
        (["", " "] * (N // 2), "no image has a value"),
        ([np.nan] * N, "no image has a value"),
        ([], "there is no image"),
    ],
)
def test_a_column_without_slices_says_why(cells, why):
    assert why in column(cells).absent


@pytest.mark.parametrize(
    "cells",
    [
        [[1], [2]] * 60, [b"a", b"b"] * 60, [True, False] * 60, ["<b>", "&"] * 60,
        pd.array([True, None] * 60, dtype="boolean"), [1j, 2j] * 60,
    ],
    ids=["lists", "bytes", "truths", "HTML", "truths and gaps", "complex"],
)  # fmt: skip
def test_cells_of_any_kind_are_values(cells):
    read = column(cells)
    assert len(read.values) == 2
    assert read.order is None


def test_numbers_that_are_unique_or_infinite_have_an_order():
    read = column([np.inf, -np.inf, *range(N)])
    assert np.isnan(read.order).sum() == 2


def test_a_measured_number_has_an_order_alone():
    assert number_column(pd.Series([1.0, 1.0, np.nan, 2.0]), "width").codes is None
    assert "the same" in number_column(pd.Series([32.0] * 9), "width").absent
    assert "no image" in number_column(pd.Series([None] * 9), "hour").absent

"""Numbers as programs and spreadsheets write them into columns."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.errors import BadPredictions
from errlens.imported.number_columns import read_numbers


def read(*cells):
    return read_numbers(pa.table({"p": pa.array(cells)}), ["p"])


def values(*cells):
    found = read(*cells)
    assert found.unread == {}
    return found.values[:, 0].tolist()


@pytest.mark.parametrize(
    "values",
    [
        ["0.5", " 1 ", None],
        [0.5, 1.0, None],
        pa.array([0.5, 1, None], pa.float16()),
        pa.array(["0.5", "1", "nan"], pa.large_string()),
        pa.array(["0.5", "1e0", "NaN"]).dictionary_encode(),
    ],
)
def test_values_as_numbers(values):
    found = read_numbers(pa.table({"p": values, "q": values}), ["p", "q"]).values
    assert found.shape == (3, 2)
    assert found[:2].tolist() == [[0.5, 0.5], [1, 1]]
    assert (found[2] != found[2]).all()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0,93", "1", "0,07", ",5", "1,"], [0.93, 1, 0.07, 0.5, 1]),
        (["9,99E-01", "1E-03", "-2,5e1"], [0.999, 0.001, -25]),
        (["0,123", "0,877"], [0.123, 0.877]),
        (["1,000", "0,5"], [1, 0.5]),
        (["93 %", "7%", "0,5 %", "\u00a04,25\u00a0%"], [0.93, 0.07, 0.005, 0.0425]),
        (["93.5 %", "6.5%"], [0.935, 0.065]),
        (["\u22122.5", "1"], [-2.5, 1]),
        (["-inf", "0"], [-np.inf, 0]),
    ],
)
def test_a_column_is_read_as_it_is_written(cells, expected):
    assert values(*cells) == pytest.approx(expected)


@pytest.mark.parametrize("word", ["NA", "N/A", "#N/A", "null", "None", "-", "nan", "NaN", " "])
def test_words_for_nothing_are_missing_values(word):
    for other in ("0.5", "0,5", "50 %"):
        found = values(other, word, None)
        assert found[0] == 0.5
        assert np.isnan(found[1:]).all()


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (
            ["0.1", "0,9"],
            "'p' has decimal commas .* row 2 .* holds '0,9', row 1 .* '0.1'",
        ),
        (
            ["1", "7 %", "0.3"],
            "'p' has percentages .* row 2 .* holds '7 %', row 1 .* '1'",
        ),
        (["1,234", "7", "12,500"], "'p': '1,234' in row 1 .* may be 1.234 or 1234"),
        (["0,5 %", "0.5 %"], "decimal commas"),
    ],
)
def test_two_ways_of_writing_and_two_ways_of_reading_are_refused(cells, says):
    with pytest.raises(BadPredictions, match=says):
        read(*cells)


@pytest.mark.parametrize("cell", ["half", "1 2", "1.000,5", "1,000,5", "0,5,", "1e", "%", "0x1"])
def test_what_is_no_number_is_told_by_row(cell):
    for other in ("0.5", "0,5"):
        found = read(other, cell, "1")
        assert found.unread == {1: ("p", cell)}
        assert np.isnan(found.values[1])
        assert found.values[[0, 2], 0].tolist() == [0.5, 1]


def test_lists_are_no_numbers():
    with pytest.raises(BadPredictions, match="column 'p' should hold numbers, not list"):
        read([0.5], [1.0])


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda x: x % 1), min_size=1), st.booleans())
def test_a_comma_means_what_a_dot_does(numbers, percent):
    mark = " %" * percent
    comma = [f"{number:.4f}".replace(".", ",") + mark for number in numbers]
    dot = [f"{number:.4f}{mark}" for number in numbers]
    assert values(*comma) == values(*dot)

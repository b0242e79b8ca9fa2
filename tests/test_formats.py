"""Numbers as people read them: never more exact than they are, never zero where they are not."""

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens import formats

shares = st.floats(0, 1)


@given(shares)
def test_a_share_is_zero_or_all_only_where_it_is(value):
    text = formats.share(value)
    assert (text == "0.0 %") == (value == 0)
    if text == "100.0 %":
        assert value == pytest.approx(1, abs=1e-10)


@given(shares, st.sampled_from([None, 1000, 1001]))
def test_a_share_is_rounded_once_from_the_unrounded_value(value, n):
    exact = Decimal(100 * value * (1 + 1e-12))
    step = Decimal("0.01") if n == 1001 else Decimal("0.1")
    text = formats.share(value, n)
    if text[0] not in "<>":
        assert Decimal(text.removesuffix(" %")) == exact.quantize(step, ROUND_HALF_UP)


@given(st.floats(-1, 1))
def test_a_difference_has_the_sign_it_has_however_small(value):
    text = formats.points(value)
    assert {"+": value > 0, ">": value > 0, "-": value < 0, "<": value < 0}.get(text[0], value == 0)
    assert text.endswith(" pp")
    if text[0] in "+-":  # two digits that count, or one decimal, whichever is more
        assert abs(float(text.removesuffix(" pp")) - 100 * value) <= 5.01 * abs(value) + 5e-7
    assert len(text) < 15


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_an_interval_shows_on_which_side_of_zero_it_lies(low, high):
    text = formats.points_range(low, high)
    for edge, value in zip(text.removesuffix(" pp").split(" to "), (low, high), strict=True):
        assert (edge[0] in "+>") == (value > 0)
        assert (edge[0] in "-<") == (value < 0)


@given(shares)
def test_a_probability_is_never_zero_by_rounding(value):
    text = formats.probability(value)
    assert text != "0.000"
    assert (text == "<0.001") == (value < 0.0005)
    assert (text == "1.000") == (value == 1)


@pytest.mark.parametrize("name", ["share", "points", "probability", "number", "times", "count"])
def test_what_is_not_known_is_a_dash(name):
    write = getattr(formats, name)
    assert write(None) == write(float("nan")) == "-"


@given(shares)
def test_a_cell_says_the_same_as_a_share(value):
    short, text = formats.cell_share(value), formats.share(value)
    long = re.sub(r"^([<>]?)\.", r"\g<1>0.", short or "0")
    assert float(long.strip("<>")) == float(text.removesuffix(" %").strip("<>"))
    assert long[0] == text[0]


@given(st.integers(0, 10**7))
def test_one_is_one_and_all_others_are_many(n):
    assert formats.counted(n, "image").endswith(" image") == (n == 1)
    assert formats.counted(n, "class").endswith(" classes") == (n != 1)

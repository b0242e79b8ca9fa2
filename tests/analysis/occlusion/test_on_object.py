"""Where evidence is said to lie."""

from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.occlusion.on_object import Falls, lies_where

SHARES = st.floats(0.01, 0.99)


@given(SHARES)
def test_falls_that_are_spread_evenly_lie_on_neither(area):
    assert lies_where(Falls(area, area), area) == "is about as dense on the object as around it"


@given(SHARES, SHARES, SHARES, SHARES)
def test_no_more_is_said_than_the_shares_say(on, more, area, touching):
    said = lies_where(Falls(on, touching), area)
    if said == "lies on the object":
        assert on > area
        assert touching >= 0.5
    if said == "lies on the context":
        assert on < area
        assert touching < 0.5
    rank = {"lies on the context": 0, "lies on the object": 2}
    higher = lies_where(Falls(max(on, more), touching), area)
    assert rank.get(higher, 1) >= rank.get(said, 1)


@given(SHARES)
def test_all_on_it_and_nothing_on_it_are_told(area):
    assert lies_where(Falls(1.0, 1.0), area) == "lies on the object"
    assert lies_where(Falls(0.0, 0.0), area) == "lies on the context"

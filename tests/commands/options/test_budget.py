"""Time and room that a command may take."""

import pytest

from errlens.commands.options.budget import Budget


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("errlens.commands.options.budget.time.monotonic", lambda: now[0])
    return now


def test_it_stops_before_the_time_is_over_if_the_next_takes_as_long_as_the_longest(clock):
    budget = Budget(seconds=10, megabytes=None)
    for clock[0], stop in ((1, None), (5, None), (6, None), (7, "--time-budget")):
        budget.spend(0)
        assert budget.exhausted() == stop


def test_it_stops_before_more_would_be_written(clock):
    del clock
    budget = Budget(seconds=None, megabytes=2)
    for written, stop in ((500_000, None), (1_400_000, "--max-mb")):
        budget.spend(written)
        assert budget.exhausted() == stop


def test_without_limits_it_never_stops(clock):
    budget = Budget(seconds=None, megabytes=None)
    clock[0] = 1e9
    budget.spend(10**15)
    assert budget.exhausted() is None

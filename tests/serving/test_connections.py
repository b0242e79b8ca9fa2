import socket
import time

import pytest

from errlens.serving.connections import Connections


@pytest.fixture
def pair():
    """Make both ends of connections."""
    made = []

    def two():
        ends = socket.socketpair()
        made.extend(ends)
        ends[1].settimeout(5)
        return ends

    yield two
    for end in made:
        end.close()


def is_over(end):
    return end.recv(1) == b""


def test_who_asks_for_nothing_in_time_is_let_go(pair):
    connections = Connections(patience=10)
    (ours, theirs), (busy, _) = pair(), pair()
    assert connections.open(ours)
    assert connections.open(busy)
    connections.works(busy)
    connections.end_overdue()
    assert len(connections) == 2
    connections.end_overdue(now=lambda: time.monotonic() + 11)
    assert is_over(theirs)
    assert len(connections) == 1


def test_of_too_many_the_one_that_waits_longest_goes(pair):
    connections = Connections(most=2)
    (first, its_end), (second, _), (third, _) = pair(), pair(), pair()
    for each in (first, second, third):
        assert connections.open(each)
    assert is_over(its_end)
    assert len(connections) == 2


def test_a_new_one_is_refused_while_all_are_at_work(pair):
    connections = Connections(most=1)
    (first, _), (second, _) = pair(), pair()
    connections.open(first)
    connections.works(first)
    assert not connections.open(second)
    connections.waits(first)
    assert connections.open(second)


def test_what_is_under_way_is_given_some_time(pair):
    connections = Connections()
    (first, _) = pair()
    connections.open(first)
    connections.works(first)
    assert not connections.rest(0.05)
    connections.close(first)
    assert connections.rest(0)


def test_at_the_end_nothing_more_is_waited_for(pair):
    connections = Connections()
    (idle, its_end), (busy, other_end) = pair(), pair()
    connections.open(idle)
    connections.open(busy)
    connections.works(busy)
    assert not connections.rest(0)
    assert is_over(its_end)
    connections.waits(busy)
    assert is_over(other_end)
    assert connections.rest(0)

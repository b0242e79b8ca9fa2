"""Asking right images only where it decides finds what asking everything finds."""

from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np
import pytest

from errlens.analysis.findings.asked import to_ask
from errlens.analysis.findings.causes.repairs.search import search_repairs
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.asking.turns import ask_in_turn
from tests.analysis.findings.causes.repairs.test_search import TRIED, World, answered, world


@dataclass
class Recorded:
    """Gives the answers of a world, and counts the inputs that a model would have to see."""

    world: World
    most: int | None = None  # images that there is time for in one go
    inputs: int = 0
    right: set[int] = field(default_factory=set)

    @property
    def scored(self):
        return self.world.scored

    def about(self, places, *, changes: Container[str] | None = None, time=NO_LIMIT):
        assert isinstance(time, TimeLeft)
        reached = places[: self.most]
        tried = np.array([changes is None or name in changes for name in TRIED], bool)
        self.inputs += len(reached) * int(tried.sum())
        self.right |= set(reached[~self.scored.wrong[reached]].tolist())
        late = "time was up" if len(reached) < len(places) else ""
        return answered(self.world, np.sort(reached), tried, stopped=late)


def told(scored, asked):
    findings = search_repairs(scored, asked).findings
    return [(each.subject, each.statement, each.evidence, each.rows) for each in findings]


@pytest.mark.parametrize("seed", range(6))
def test_without_a_cause_few_right_images_are_asked_and_nothing_is_named(seed):
    some = world(seed=seed)
    asking = Recorded(some)
    places = to_ask(some.scored, top=500, seed=0)
    assert not told(some.scored, ask_in_turn(asking, places))
    assert asking.inputs < 0.6 * len(places) * len(TRIED)


@pytest.mark.parametrize(
    "cause",
    [
        {"change": "turn_90", "share": 0.25},
        {"change": "mirror", "label": 1, "share": 0.5},
        {"change": "autocontrast", "share": 0.3, "selective": True},
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_a_cause_is_told_as_if_everything_were_asked(cause, seed):
    some = world(seed=seed, **cause)
    places = to_ask(some.scored, top=500, seed=0)
    everything = answered(some, np.sort(places))
    assert told(some.scored, ask_in_turn(Recorded(some), places)) == told(some.scored, everything)
    assert told(some.scored, everything)


def test_where_time_is_up_it_is_told_and_as_many_right_images_are_asked_as_errors():
    some = world(change="turn_90", share=0.3)
    asking = Recorded(some, most=60)
    asked = ask_in_turn(asking, to_ask(some.scored, top=300, seed=0))
    assert asked.stopped == "60 of 300 errors, changed"
    assert len(asking.right) == 60
    outcome = search_repairs(some.scored, asked)
    assert {search.part for search in outcome.searches} == {asked.stopped}
    (found,) = outcome.findings
    # The share of the errors asked stands for all errors.
    assert found.excess_errors == pytest.approx(
        search_repairs(some.scored, some.asked).findings[0].excess_errors, rel=0.5
    )


def test_where_time_ends_among_right_images_nothing_is_named_of_too_few():
    some = world(change="turn_90", share=0.3)
    asking = Recorded(some, most=10)
    asked = ask_in_turn(asking, to_ask(some.scored, top=10, seed=0))
    assert not asked.stopped
    asking = Recorded(some)
    about, places = asking.about, to_ask(some.scored, top=300, seed=0)

    def short_of_time(places, *, changes=None, time=NO_LIMIT):
        asking.most = None if changes is None else 12
        return about(places, changes=changes, time=time)

    asking.about = short_of_time
    asked = ask_in_turn(asking, places)
    assert asked.stopped == "12 of 300 right images, changed"
    assert not search_repairs(some.scored, asked).findings


def test_where_few_are_right_no_repair_can_be_told_and_none_is_asked():
    some = world(n=100, errors=0.9)
    asking = Recorded(some)
    asked = ask_in_turn(asking, to_ask(some.scored, top=500, seed=0))
    assert not asking.right
    assert {each.absent for each in search_repairs(some.scored, asked).searches} >= {
        "too few images are right to hold it against"
    }


def test_a_part_of_the_time_ends_before_all_of_it():
    assert not NO_LIMIT.part(0.1).is_up
    assert TimeLeft(0).part(0.5).is_up
    hour = TimeLeft(3600)
    assert not hour.part(0.5).is_up
    assert hour.part(0).is_up
    assert not hour.is_up

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_1samp

from errlens.analysis.correspondence.changes import CHANNELS, PLACES, Changes, PartChanges, Units
from errlens.analysis.correspondence.sentences import elsewhere, in_words
from errlens.analysis.correspondence.tables import (
    ALIKE,
    PARTS,
    alike_table,
    held_against_chance,
    interval_of_mean,
    part_table,
)

WHY = {"cropped": "cropped_away", "no room": "no_room", "outside": "outside"}
N, K = 8, 5
UNITS = [
    Units("conv", PLACES, 30, 90),
    Units("conv", CHANNELS, 12, 12),
    Units("fc", CHANNELS, 12, 12),
]


def part_of(name, *, alike=(), seed=0, outlined=N, n=N, costs=0.2):
    """Changes of random signs, the same in all images where it says so."""
    random = np.random.default_rng(seed)
    signs = [random.choice(np.array([-1, 1], np.int8), (n, 1 + K, units.n)) for units in UNITS]
    for at in alike:
        signs[at][:, 0] = signs[at][:1, 0]
    probability = np.full((n, 2 + K), 0.8)
    probability[:, 1] -= costs + random.normal(scale=0.01, size=n)
    of_object = np.full((n, 1 + K), np.nan)
    of_object[:outlined] = 0.75
    return PartChanges(
        part=name,
        at=np.arange(n),
        boxes=np.tile(np.array([0, 0, 4, 8]), (n, 1 + K, 1)),
        signs=signs,
        sizes=random.uniform(1, 2, (n, 1 + K, len(UNITS))),
        probability=probability,
        of_object=of_object,
        left_out={20: "no room", 21: "no room", 22: "cropped"},
    )


def changes_of(*parts, labelled=True):
    return Changes(units=UNITS, parts=parts, size=(16, 16), unread={}, labelled=labelled)


def told(*parts, labelled=True):
    changes = changes_of(*parts, labelled=labelled)
    table = alike_table(held_against_chance(changes, permutations=499, seed=0))
    return in_words(table, part_table(changes, WHY), labelled=labelled), table


def test_a_table_has_a_row_for_each_part_and_kind_with_q_values_over_all():
    _, table = told(part_of("head", alike=[1]), part_of("tail", seed=1))
    assert list(table) == list(ALIKE)
    assert table["part"].tolist() == ["head"] * 3 + ["tail"] * 3
    assert table["n_units"].tolist() == [30, 12, 12] * 2
    np.testing.assert_allclose(table["q_value"], false_discovery_control(table["p_value"]))
    assert table["alike"].tolist() == [False, True, False, False, False, False]


def test_a_part_has_what_is_hidden_and_what_that_costs():
    changes = changes_of(part_of("head", outlined=6))
    table = part_table(changes, WHY)
    assert list(table) == list(PARTS)
    row = table.iloc[0]
    assert row["n"] == N
    assert row[["outlined", "cropped_away", "no_room", "outside"]].tolist() == [6, 1, 2, 0]
    assert (row["area"], row["of_object"]) == (32 / 256, 0.75)
    more = 0.8 - changes.parts[0].probability[:, 1]
    assert row["costs_more"] == pytest.approx(more.mean())
    expected = ttest_1samp(more, 0).confidence_interval()
    assert interval_of_mean(more) == pytest.approx((expected.low, expected.high))
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_means_of_channels_exclude_the_place():
    (alike, cost), _ = told(part_of("head", alike=[0, 1, 2]))
    assert alike.startswith(
        "Hiding the head of 8 images changes the means of the channels of conv more alike than "
        "hiding as much elsewhere in the object does: their distance is <0.001, that of regions"
    )
    assert "those of fc likewise" in alike
    assert "like places in the pictures are not the reason" in alike
    assert "costs 0.20" in cost
    assert "true class is 0.800 as it is" in cost


def test_where_places_alone_are_alike_the_place_may_be_the_reason():
    (alike, _), _ = told(part_of("head", alike=[0], outlined=0))
    assert "changes conv, channel by channel and place by place, more alike" in alike
    assert "elsewhere in the photo does" in alike
    assert "like places in the pictures may be the reason" in alike


def test_where_far_moving_regions_are_as_alike_that_may_be_the_reason():
    part = part_of("head", alike=[1])
    furthest = 1 + part.sizes[:, 1:, 1].argmax(axis=1)
    part.signs[1][np.arange(N), furthest] = part.signs[1][0, 0]
    (alike, _), _ = told(part)
    assert "how far they are moved may be the reason" in alike


def test_what_cannot_be_told_is_not_claimed():
    (alike, cost), _ = told(part_of("head", seed=3, costs=0), labelled=False)
    assert alike.startswith("Whether hiding the head of 8 images changes any layer more alike")
    assert "cannot be told (least q " in alike
    assert "class predicted" in cost
    assert "which of both costs more cannot be told" in cost
    (_, less), _ = told(part_of("head", costs=-0.1))
    assert "hiding the head costs 0.096 less" in less


def test_of_a_part_of_one_image_nothing_is_said():
    (alone, *_), table = told(part_of("tail", n=1), part_of("head"))
    assert alone == (
        "Of 'tail' nothing can be said: 1 image with it and with room to hide as much elsewhere."
    )
    assert set(table["part"]) == {"head"}


def test_units_that_repeat_later_ones_are_compared_once():
    part = part_of("head")
    part.signs[1][:] = part.signs[2]
    assert changes_of(part).compared == [0, 2]
    other = part_of("tail", seed=1)
    assert changes_of(part, other).compared == [0, 1, 2]


def test_where_regions_lie_is_said():
    assert elsewhere({"n": 3, "outlined": 3}) == "elsewhere in the object"
    assert isinstance(alike_table([]), pd.DataFrame)

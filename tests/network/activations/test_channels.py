import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from errlens.network.activations.boxes import box_table, cells_inside
from errlens.network.activations.channels import Seen, channel_table, strongest

numbers = st.integers(-5, 5)  # so that there are ties
tensors = arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 3), elements=numbers)


@given(tensors)
def test_the_strongest_channel_is_that_of_the_largest_value(maps):
    order = strongest([maps], signed=False)
    assert order[0] == np.argmax(maps.max(axis=(1, 2)))
    assert sorted(order) == list(range(len(maps)))


@given(tensors)
def test_with_a_sign_it_is_that_of_the_value_furthest_from_zero(maps):
    assert strongest([maps], signed=True)[0] == np.argmax(np.abs(maps).max(axis=(1, 2)))


def test_of_two_images_the_strongest_in_either_comes_first():
    one, other = np.float32([[[3]], [[1]], [[0]]]), np.float32([[[0]], [[1]], [[5]]])
    assert strongest([one, other], signed=False).tolist() == [2, 0, 1]


@given(tensors, st.booleans())
def test_the_table_says_where_the_strongest_value_is(maps, signed):
    table = channel_table([Seen("a", "output", maps, (10.0, 20.0, 50.0, 40.0))], signed=signed)
    for row in table.to_dict("records"):
        channel = maps[row["channel"]]
        assert channel[row["row"], row["column"]] == row["value"]
        assert row["value"] == (channel.ravel()[np.abs(channel).argmax()] if signed else row["max"])
        assert 10 < row["x"] < 50
        assert 20 < row["y"] < 40
    assert table["rank"].tolist() == (np.argsort(strongest([maps], signed=signed)) + 1).tolist()


def test_a_place_is_carried_back_to_the_middle_of_its_part_of_the_photo():
    maps = np.zeros((1, 2, 4), np.float32)
    maps[0, 1, 3] = 1
    table = channel_table([Seen("a", "output", maps, (100.0, 0.0, 180.0, 40.0))], signed=False)
    assert (table["x"][0], table["y"][0]) == (170, 30)


edges = st.tuples(*[st.floats(-20, 120)] * 4).filter(lambda b: b[0] < b[2] and b[1] < b[3])


@given(edges, st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_places_cover_as_much_of_a_box_as_lies_on_the_map(box, grid):
    cells = cells_inside(box, (0, 0, 100, 60), grid)
    width = max(0, min(box[2], 100) - max(box[0], 0))
    height = max(0, min(box[3], 60) - max(box[1], 0))
    assert cells.mean() * 6000 == pytest.approx(width * height, abs=1e-6)
    assert cells.min() >= 0
    assert cells.max() <= 1 + 1e-9


def test_inside_and_outside_add_up_to_the_whole():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    seen = Seen("a", "output", maps, (0.0, 0.0, 50.0, 40.0))
    table = box_table(seen, {"eye": (7.0, 3.0, 31.0, 22.0)})
    whole = table["area"] * table["inside"] + (1 - table["area"]) * table["outside"]
    np.testing.assert_allclose(whole, maps.mean(axis=(1, 2), dtype=float))


def test_all_activation_in_a_box_is_found_there():
    maps = np.zeros((2, 4, 4), np.float32)
    maps[0, :2, :2] = 3
    table = box_table(Seen("a", "output", maps, (0.0, 0.0, 8.0, 8.0)), {"eye": (0, 0, 4, 4)})
    fires, silent = table.to_dict("records")
    assert (fires["inside"], fires["outside"], fires["share"], fires["lift"]) == (3, 0, 1, 4)
    assert (fires["max_inside"], fires["max_outside"]) == (3, 0)
    assert np.isnan(silent["share"])


def test_a_box_around_everything_has_no_outside():
    maps = np.ones((1, 2, 2), np.float32)
    table = box_table(Seen("a", "output", maps, (0.0, 0.0, 8.0, 8.0)), {"all": (-1, -1, 9, 9)})
    assert table["area"][0] == 1
    assert np.isnan(table["outside"][0])
    assert np.isnan(table["max_outside"][0])

"""The strongest images, found as they come by, are those that sorting all of them finds."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from errlens.network.units.maxima import Maxima, maxima_of_maps
from errlens.network.units.top_places import NO_IMAGE, TopPlaces

# Few different values, so that many images tie.
tables = arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]),
)


@given(tables, st.integers(1, 9), st.integers(1, 7))
def test_streaming_is_sorting_all_with_ties_in_the_order_of_the_images(values, top, step):
    n, channels = values.shape
    places = np.arange(n * channels, dtype=np.int32).reshape(n, channels)
    kept = TopPlaces(channels, top)
    for start in range(0, n, step):
        part = slice(start, start + step)
        kept.add(np.arange(n)[part], Maxima(values[part], places[part]))
    for channel in range(channels):
        column = values[:, channel]
        fires = [image for image in range(n) if column[image] > 0]
        best = sorted(fires, key=lambda image: (-column[image], image))[:top]
        assert [image for image in kept.images[channel] if image != NO_IMAGE] == best
        assert kept.values[channel, : len(best)].tolist() == column[best].tolist()
        assert kept.places[channel, : len(best)].tolist() == places[best, channel].tolist()
        assert kept.fires[channel] == len(fires)
        assert kept.at_highest[channel] == sum(column[i] == column[fires].max() for i in fires)
    assert kept.seen == n


def test_the_place_of_a_maximum_is_the_first_of_several_in_rows_from_the_top():
    maps = torch.zeros(1, 2, 3, 4)
    maps[0, 1, 1, 2] = maps[0, 1, 2, 0] = 5
    for given_maps in (maps, maps.to(memory_format=torch.channels_last)):
        found = maxima_of_maps(given_maps)
        assert found.values.tolist() == [[0, 5]]
        assert found.places.tolist() == [[0, 6]]


def test_the_strongest_channels_are_those_with_the_highest_values_ties_by_number():
    kept = TopPlaces(4, 2)
    kept.add(np.array([0]), Maxima(np.array([[1.0, 3.0, -1.0, 3.0]]), np.zeros((1, 4), np.int32)))
    assert kept.strongest(3).tolist() == [1, 3, 0]

"""Which places are drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from errlens.atlas.points.places import LEAST_SIDE, count_places, drawn_places

SIDES = st.integers(1, 12)


@given(SIDES, SIDES, st.integers(1, 60), st.integers(-9, 2**40), st.integers(0, 2**40))
def test_no_place_is_drawn_twice_or_at_an_edge(rows, columns, per_image, seed, row):
    places = drawn_places((rows, columns), per_image, seed=seed, row=row)
    assert len(np.unique(places, axis=0)) == len(places) == count_places((rows, columns), per_image)
    for side, at in zip((rows, columns), places.T, strict=True):
        edge = int(side >= LEAST_SIDE)
        assert at.min() >= edge
        assert at.max() < side - edge


@given(st.integers(3, 9), st.integers(1, 9), st.integers(0, 99), st.integers(0, 99))
def test_more_places_of_an_image_are_the_same_and_others(side, fewer, seed, row):
    few, many = (
        {*map(tuple, drawn_places((side, side), n, seed=seed, row=row).tolist())}
        for n in (fewer, fewer + 2)
    )
    assert few <= many


def test_every_inner_place_is_as_likely_as_any_other():
    drawn = np.concatenate([drawn_places((5, 6), 2, seed=0, row=row) for row in range(3000)])
    counts, *_ = np.histogram2d(*drawn.T, bins=(range(6), range(7)))
    inner = counts[1:-1, 1:-1]
    assert counts.sum() == inner.sum() == 6000
    # Binomial: 500 each, with a standard deviation below 22.
    assert (np.abs(inner - 500) < 5 * 22).all()


def test_images_and_seeds_have_other_places():
    first, other_row, other_seed, negative = (
        drawn_places((14, 14), 8, seed=seed, row=row).tolist()
        for seed, row in ((1, 0), (1, 1), (2, 0), (-1, 0))
    )
    assert first not in (other_row, other_seed, negative)

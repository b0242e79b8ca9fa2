import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from errlens.figures.maps.outline import outlined, strongest_area
from errlens.figures.maps.overlay import overlay

STRENGTHS = arrays(
    np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(0, 2, width=32)
)


def peak(y, x, *, sign=1, size=7):
    values = np.zeros((size, size), np.float32)
    values[y, x] = sign
    return values


def changed(values, image, **options):
    options = {"box": None, "upsampling": "bilinear", **options}
    return (outlined(image, values, **options) != image).any(axis=2)


@given(STRENGTHS)
def test_the_strongest_area_holds_a_fifth_of_all_and_no_smaller_one_does(strength):
    inside = strongest_area(strength)
    if inside.any():
        mass = strength.astype(float)
        assert mass[inside].sum() >= 0.2 * mass.sum() * (1 - 1e-6)
        assert strength[inside].min() > strength[~inside].max()
        weakest = inside & (strength == strength[inside].min())
        assert mass[inside & ~weakest].sum() < 0.2 * mass.sum() * (1 + 1e-6)
        assert inside.mean() < 0.5


def test_a_map_that_is_the_same_everywhere_has_no_outline():
    image = np.full((60, 60, 3), 99, np.uint8)
    for value in (0.0, 3.0, -2.0):
        assert not changed(np.full((7, 7), value, np.float32), image).any()


@pytest.mark.parametrize("ground", [0, 90, 128, 255])
def test_the_outline_differs_from_any_photo(ground):
    image = np.full((112, 112, 3), ground, np.uint8)
    found = outlined(image, peak(3, 3), box=None, upsampling="bilinear").astype(int)
    assert abs(found - ground).max() >= 127
    assert {tuple(colour) for colour in found.reshape(-1, 3)} <= {
        (0,) * 3,
        (255,) * 3,
        (ground,) * 3,
    }


def test_the_outline_runs_around_the_peak_and_leaves_its_middle_as_it_is():
    image = np.full((112, 112, 3), 90, np.uint8)
    line = changed(peak(3, 5), image)
    rows, columns = np.nonzero(line)
    assert rows.min() >= 40
    assert rows.max() <= 72
    assert columns.min() >= 72
    assert columns.max() <= 104
    assert not line[56, 88]


def test_what_speaks_against_is_dashed():
    image = np.full((112, 112, 3), 90, np.uint8)
    solid, dashed = (changed(peak(3, 3, sign=sign), image) for sign in (1, -1))
    assert not (dashed & ~solid).any()
    assert 0.3 < dashed.sum() / solid.sum() < 0.7


def test_of_a_fine_map_the_area_is_where_its_pixels_are_dense():
    values = np.zeros((224, 224), np.float32)
    random = np.random.default_rng(0)
    values[30:80, 120:170] = random.normal(size=(50, 50))
    values[200, 10] = 5.0
    image = np.full((224, 224, 3), 90, np.uint8)
    rows, columns = np.nonzero(changed(values, image))
    assert len(rows)
    assert rows.min() >= 20
    assert rows.max() <= 90
    assert columns.min() >= 110
    assert columns.max() <= 180


def test_an_outline_lies_in_its_box_as_the_overlay_does():
    image = np.full((100, 140, 3), 90, np.uint8)
    values = peak(3, 3)
    line = changed(values, image, box=(20.0, 10.0, 76.0, 66.0))
    over = (overlay(image, values, scale=1, box=(20.0, 10.0, 76.0, 66.0)) != image).any(axis=2)
    rows, columns = np.nonzero(line)
    assert abs(rows.mean() - 37.5) < 1
    assert abs(columns.mean() - 47.5) < 1
    assert over[line].mean() > 0.9
    assert not changed(values, image, box=(-90.0, 0.0, -10.0, 50.0)).any()


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 70), st.integers(1, 70)),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
        fill=st.just(0.0),
    )
)
def test_any_finite_map_has_an_outline_or_none(values):
    image = np.full((30, 20, 3), 90, np.uint8)
    before = image.copy()
    with np.errstate(all="ignore"):
        assert outlined(image, values, box=None, upsampling="bicubic").shape == image.shape
    np.testing.assert_array_equal(image, before)

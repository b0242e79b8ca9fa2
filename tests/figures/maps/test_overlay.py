from typing import get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import colormaps
from PIL import Image

from errlens.choices import Upsampling
from errlens.data.photos.preprocess import Preprocessing
from errlens.figures.maps.overlay import (
    BLUE,
    PURPLE,
    RED,
    colormap_names,
    common_scale,
    overlay,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


def photo(height=56, width=56, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(value, shape=(3, 3)):
    return np.full(shape, value, np.float32)


def assert_mixed(found, image, colour, opacity):
    """Check a mix of a photo and a colour; Pillow knows 256 steps of opacity."""
    expected = image + opacity * (np.array(colour, float) - image)
    assert abs(found - expected).max() <= 1.5


@pytest.mark.parametrize("name", [None, "red-blue", "inferno", "magma", "viridis"])
@pytest.mark.parametrize("signed", [True, False])
def test_the_photo_is_unchanged_where_the_map_is_zero(name, signed):
    found = overlay(photo(), flat(0), scale=2.5, alpha=1.0, colormap=name, signed=signed)
    np.testing.assert_array_equal(found, photo())


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.8, 1.0])
def test_the_end_of_the_scale_is_full_colour_at_alpha_and_half_of_it_is_half_as_opaque(alpha):
    for share in (0.5, 1.0):
        for sign, colour in ((1, RED), (-1, BLUE)):
            found = overlay(photo(), flat(sign * share * 4.0), scale=4.0, alpha=alpha)
            assert_mixed(found, photo(), colour, alpha * np.rint(127 * share) / 127)


def test_beyond_the_scale_all_is_as_at_its_end():
    for signed in (True, False):
        for sign in (1, -1):
            found = overlay(photo(), flat(sign * 9.0), scale=2.0, signed=signed)
            expected = overlay(photo(), flat(sign * 2.0), scale=2.0, signed=signed)
            np.testing.assert_array_equal(found, expected)


def test_both_signs_are_equally_opaque():
    values = np.linspace(-1, 1, 56, dtype=np.float32)[None].repeat(56, axis=0)
    colours = np.array([[BLUE, RED]], np.uint8).repeat(28, axis=1).repeat(56, axis=0)
    # On a photo of the very colours the map changes nothing, so what changes is the opacity.
    np.testing.assert_array_equal(overlay(colours, values, scale=1), colours)
    swapped = overlay(colours[:, ::-1].copy(), values, scale=1).astype(int)
    towards = abs(swapped - colours[:, ::-1])
    assert abs(towards - towards[:, ::-1]).max() <= 1


def test_a_hot_cell_of_four_colours_its_own_quadrant():
    image = photo(64, 64)
    values = np.array([[0, 0], [1, 0]], np.float32)
    found = overlay(image, values, scale=1, alpha=1.0)
    # Cells are areas: around its middle and out to the corner, the cell is what it is.
    assert (found[48:, :16] == RED).all()
    for part in (np.s_[:16], np.s_[:, 48:]):
        np.testing.assert_array_equal(found[part], image[part])
    red = overlay(np.zeros_like(image), values, scale=1)[..., 0].astype(int)
    assert red[32:, :32].sum() > 3 * (red.sum() - red[32:, :32].sum())


@pytest.mark.parametrize("row", range(7))
def test_a_planted_cell_is_strongest_in_its_own_middle(row):
    column = (3 * row + 1) % 7
    values = flat(0, (7, 7))
    values[row, column] = 1
    black = np.zeros((224, 224, 3), np.uint8)
    found = overlay(black, values, scale=1, alpha=1.0)[..., 0].astype(float)
    assert 0 not in found[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    inner = np.s_[32 * row + 15 : 32 * row + 17, 32 * column + 15 : 32 * column + 17]
    assert found[inner].min() >= 0.95 * found.max()
    beyond = np.s_[
        max(0, 32 * row - 16) : 32 * row + 48, max(0, 32 * column - 16) : 32 * column + 48
    ]
    found[beyond] = 0
    assert not found.any()


def test_a_map_of_the_size_of_the_image_is_used_as_it_is():
    image = photo()
    values = np.zeros((56, 56), np.float32)
    values[5, 40] = 1
    changed = (overlay(image, values, scale=1) != image).any(axis=2)
    assert np.argwhere(changed).tolist() == [[5, 40]]


def test_images_need_not_be_square():
    image = photo(30, 90)
    values = np.array([[0, 0, 1]], np.float32)
    changed = (overlay(image, values, scale=1) != image).any(axis=2)
    assert changed[:, 75].all()
    assert not changed[:, :44].any()


@pytest.mark.parametrize("name", ["jet", "turbo"])
@pytest.mark.parametrize("signed", [True, False])
def test_jet_is_matplotlibs_and_covers_everything_evenly(name, signed):
    image = photo()
    for share in (-1.0, 0.0, 1.0) if signed else (0.0, 0.2, 1.0):
        place = (share + 1) / 2 if signed else share
        colour = colormaps[name](place, bytes=True)[:3]
        options = {"colormap": name, "signed": signed}
        full = overlay(image, flat(3 * share), scale=3.0, alpha=1.0, **options)
        assert (full == colour).all()
        half = overlay(image, flat(3 * share), scale=3.0, alpha=0.5, **options)
        assert_mixed(half, image, colour, 0.5)


def test_all_256_colours_of_jet_are_matplotlibs():
    values = (np.arange(256, dtype=np.float32) / 255)[None]
    image = photo(1, 256)
    found = overlay(image, values, scale=1, alpha=1.0, colormap="jet", signed=False)
    expected = colormaps["jet"](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(found[0], expected)


def test_maps_without_a_sign_are_purple():
    found = overlay(photo(), flat(7), scale=7, alpha=1.0, signed=False)
    assert (found == PURPLE).all()


def test_inferno_is_matplotlibs():
    found = overlay(photo(), flat(7), scale=7, alpha=1.0, signed=False, colormap="inferno")
    assert (found == colormaps["inferno"](1.0, bytes=True)[:3]).all()


def lightness(pixels):
    """CIELAB L* of sRGB."""
    share = pixels / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)


@pytest.mark.parametrize("signed", [1, -1, None])
@pytest.mark.parametrize("ground", [0, 30, 225, 255])
def test_dark_fur_gets_lighter_and_snow_darker_the_more_the_stronger(signed, ground):
    image = np.full((1, 256, 3), ground, np.uint8)
    values = np.linspace(0, signed or 1, 256, dtype=np.float32)[None]
    found = overlay(image, values, scale=1, alpha=0.7, signed=signed is not None)
    away = abs(lightness(found[0]) - lightness(image[0]))
    assert (np.diff(away) >= -0.5).all()
    assert away[128] >= 9
    assert away[-1] >= 20


def test_unknown_colours_are_refused():
    with pytest.raises(ValueError, match=r"'rainbow'.*inferno, jet"):
        overlay(photo(), flat(1), scale=1, colormap="rainbow")


def test_the_common_scale_leaves_out_the_largest_of_many_cells():
    spikes = np.random.default_rng(0).uniform(-1, 1, (100, 100)).astype(np.float32)
    spikes[0, :50] = 1000.0
    assert 0.9 < common_scale([spikes]) <= 1.0
    few = np.zeros((100, 100), np.float32)
    few[5, 5] = -3.0
    assert common_scale([few]) == 3.0


def test_the_common_scale_of_small_maps_is_the_largest_absolute_value():
    assert common_scale([flat(1), np.array([[2.0, -7.0]], np.float32)]) == 7.0
    assert common_scale([flat(0), flat(0)]) == 1.0
    assert common_scale([]) == 1.0


@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=FINITE),
    st.sampled_from([None, *colormap_names()]),
    st.booleans(),
)
def test_any_finite_map_is_shown_between_photo_and_colour(values, name, signed):
    image = photo(6, 8)
    before = image.copy(), values.copy()
    scale = common_scale([values])
    found = overlay(image, values, scale=scale, colormap=name, signed=signed)
    assert found.shape == image.shape
    assert found.dtype == np.uint8
    assert found.flags.writeable
    assert (abs(found.astype(int) - image) <= 129).all()
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(values, before[1])


@given(FINITE, st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_constant_map_is_one_colour_without_seams(value, shape):
    values = flat(value, shape)
    black = np.zeros((6, 8, 3), np.uint8)
    found = overlay(black, values, scale=common_scale([values]))
    assert (found == found[0, 0]).all()
    if value:
        assert_mixed(found, black, RED if value > 0 else BLUE, 0.5)


def test_views_and_frozen_arrays_are_fine():
    image = photo(40, 60)
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    expected = overlay(image, values, scale=11)
    frozen = [image.copy(), values.copy()]
    for one in frozen:
        one.setflags(write=False)
    np.testing.assert_array_equal(overlay(*frozen, scale=11), expected)
    views = np.asfortranarray(image), np.asfortranarray(values)
    np.testing.assert_array_equal(overlay(*views, scale=11), expected)


def test_interpolation_is_pillows_bilinear():
    values = np.random.default_rng(1).normal(size=(7, 7)).astype(np.float32)
    fitted = np.asarray(Image.fromarray(values).resize((56, 56), Image.Resampling.BILINEAR))
    scale = common_scale([values])
    expected = overlay(photo(), fitted, scale=scale)
    np.testing.assert_array_equal(overlay(photo(), values, scale=scale), expected)


def unseen(image):
    """Return whether each pixel is grey and neither bright nor dark."""
    spread = image.max(axis=2).astype(int) - image.min(axis=2)
    return (spread == 0) & (image[..., 0] >= 64) & (image[..., 0] < 192)


def middles(length):
    return np.arange(length) + 0.5


def test_cells_have_edges_with_nearest():
    values = np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    each = values.repeat(8, axis=0).repeat(12, axis=1)
    expected = overlay(photo(56, 60), each, scale=1)
    found = overlay(photo(56, 60), values, scale=1, upsampling="nearest")
    np.testing.assert_array_equal(found, expected)


def test_bicubic_is_pillows_and_does_not_wrap_where_it_overshoots():
    values = np.array([[0, 0, 1, 1, 0], [0, 1, 1, 1, 0]], np.float32)
    fitted = np.asarray(Image.fromarray(values).resize((90, 30), Image.Resampling.BICUBIC))
    assert fitted.max() > 1.01
    assert fitted.min() < -0.01
    for signed in (True, False):
        found = overlay(photo(30, 90), values, scale=1, signed=signed, upsampling="bicubic")
        expected = overlay(photo(30, 90), fitted.clip(-1, 1), scale=1, signed=signed)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("upsampling", get_args(Upsampling))
@pytest.mark.parametrize("name", [None, "jet"])
def test_a_box_of_the_whole_image_is_none(upsampling, name):
    values = np.random.default_rng(3).normal(size=(7, 6)).astype(np.float32)
    options = {"scale": 1, "colormap": name, "upsampling": upsampling}
    found = overlay(photo(50, 61), values, box=(0.0, 0.0, 61.0, 50.0), **options)
    np.testing.assert_array_equal(found, overlay(photo(50, 61), values, **options))


@pytest.mark.parametrize("upsampling", get_args(Upsampling))
def test_a_box_of_whole_pixels_is_an_image_of_its_own(upsampling):
    values = np.random.default_rng(4).normal(size=(4, 6)).astype(np.float32)
    found = overlay(photo(50, 61), values, scale=1, upsampling=upsampling, box=(7, 11, 43, 40))
    part = overlay(photo(50, 61)[11:40, 7:43], values, scale=1, upsampling=upsampling)
    np.testing.assert_array_equal(found[11:40, 7:43], part)


@pytest.mark.parametrize("upsampling", get_args(Upsampling))
def test_an_image_shows_its_part_of_a_map_that_reaches_beyond(upsampling):
    values = np.random.default_rng(5).normal(size=(4, 6)).astype(np.float32)
    whole = overlay(photo(60, 90), values, scale=1, upsampling=upsampling)
    part = photo(60, 90)[13:41, 22:71]
    found = overlay(part, values, scale=1, upsampling=upsampling, box=(-22, -13, 68, 47))
    # Pillow's places have seven digits; a step of colour may be another.
    assert abs(found.astype(int) - whole[13:41, 22:71]).max() <= 2


@given(
    st.tuples(st.floats(-40, 70), st.floats(-40, 70)),
    st.tuples(st.floats(0, 120), st.floats(0, 120)),
    st.tuples(st.integers(1, 90), st.integers(1, 9)),
    st.sampled_from(get_args(Upsampling)),
    st.sampled_from(colormap_names()),
)
@example((10.5, 7.5), (1e-9, 1e-9), (90, 9), "bilinear", "jet")
@example((10.4, -5.0), (0.2, 50.0), (3, 9), "bicubic", "jet")
def test_a_map_colours_the_pixels_whose_middles_it_covers(corner, size, shape, upsampling, name):
    (left, top), (right, bottom) = corner, np.add(corner, size)
    image = np.zeros((40, 60, 3), np.uint8)
    options = {"alpha": 1.0, "colormap": name, "upsampling": upsampling}
    found = overlay(image, flat(1, shape), scale=1, box=(left, top, right, bottom), **options)
    x, y = middles(60)[None], middles(40)[:, None]
    covered = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    full = overlay(image, flat(1), scale=1, **options)[0, 0]
    assert abs(found[covered].astype(int) - full).max(initial=0) <= 1
    assert (found[~covered] == 64).all()


def test_what_the_map_does_not_reach_differs_from_the_brightest_and_the_darkest_photo():
    for colour in (0, 255):
        image = np.full((20, 30, 3), colour, np.uint8)
        found = overlay(image, flat(0), scale=1, box=(10, 0, 20, 20))
        np.testing.assert_array_equal(found[:, 10:20], image[:, 10:20])
        assert abs(found[:, :10].astype(int) - colour).min() > 60
    for name in colormap_names():
        found = overlay(photo(), flat(1), scale=1, colormap=name, box=(20, 0, 56, 56))
        assert unseen(found[:, :20]).all()
    assert unseen(overlay(photo(), flat(1), scale=1, box=(60, 0, 90, 56))).all()


@pytest.mark.parametrize("upsampling", get_args(Upsampling))
@pytest.mark.parametrize("box", [(0, 0, 128, 96), (10.3, -7.8, 90.6, 101.1), (40.5, 20, 60, 33.3)])
def test_places_in_a_map_are_true_to_a_fraction_of_a_pixel(box, upsampling):
    """A map that rises evenly from left to right tells the place of each of its colours."""
    left, top, right, bottom = box
    values = (np.arange(200, dtype=np.float32) + 0.5)[None].repeat(150, axis=0) / 200
    black = np.zeros((96, 128, 3), np.uint8)
    white = black + np.uint8(255)
    options = {"scale": 1, "alpha": 1.0, "signed": False, "upsampling": upsampling, "box": box}
    # A colour changes a black photo and a white one alike only as far as it is opaque.
    on_white, on_black = (
        overlay(one, values, colormap="red-blue", **options).astype(float) for one in (white, black)
    )
    opacity = 1 - (on_white - on_black).mean(axis=2) / 255
    rows, columns = np.arange(96), np.arange(128)
    rows = rows[(rows > top + 2) & (rows < bottom - 2)]
    columns = columns[(columns > left + 2) & (columns < right - 3)]
    expected = (columns + 0.5 - left) / (right - left)
    found = opacity[np.ix_(rows, columns)]
    pixel = 1 / (right - left)
    assert abs(found - expected).max() <= 0.25 * pixel + 1 / 255 + 0.5 / 200


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(500, 333), (90, 130), (31, 20)])
def test_a_cell_of_the_input_lies_on_its_own_pixels_of_the_photo(crop_mode, size):
    """The photo has one white place: the cell in which the network gets it is coloured there."""
    half = (0.5, 0.5, 0.5)
    fitted = Preprocessing((64, 48), 0.9, crop_mode, "bilinear", half, half)
    width, height = size
    for x, y in ((0.35, 0.4), (0.6, 0.7), (0.5, 0.25)):
        column, row = int(x * width), int(y * height)
        image = np.zeros((height, width, 3), np.uint8)
        image[
            max(0, row - height // 20) : row + height // 20 + 1,
            max(0, column - width // 20) : column + width // 20 + 1,
        ] = 255
        fed = np.asarray(fitted.fit(Image.fromarray(image)), np.float32)
        # A border is grey all over; what is fed of the place is white.
        light = (fed - 128).clip(min=0).mean(axis=2)
        cells = light.reshape(8, 8, 6, 8).mean(axis=(1, 3))
        values = (cells == cells.max()).astype(np.float32)
        found = overlay(
            image,
            values,
            scale=1,
            alpha=1.0,
            upsampling="nearest",
            box=fitted.source_box(width, height),
        )
        red = (found == RED).all(axis=2)
        assert red.any()
        # The place, or where it lies in several cells a part of it, is under the cell.
        assert red[image[..., 0] == 255].mean() >= 0.2

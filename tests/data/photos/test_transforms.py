import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from errlens.data.photos.transforms import TRANSFORM_OF, TRANSFORMS

RANDOM = np.random.default_rng(0)
EACH = pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.name)


def noise(width=30, height=22, mode="RGB"):
    channels = (3,) if mode == "RGB" else ()
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, *channels), dtype=np.uint8))


@EACH
def test_each_has_eleven_sizes_in_order_with_its_identity_among_them(transform):
    assert len(transform.sizes) == 11
    assert list(transform.sizes) == sorted(set(transform.sizes))
    assert transform.identity in transform.sizes
    natural = [size for size in transform.sizes if transform.is_natural(size)]
    assert 1 < len(natural) < 11


@EACH
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_keeps_its_size_and_mode_and_the_identity_is_itself(transform, mode):
    picture = noise(120, 100, mode)
    assert transform.apply(picture, transform.identity) is picture
    for size in transform.sizes:
        made = transform.apply(picture, size)
        assert (made.size, made.mode) == (picture.size, mode)
        same = np.array_equal(made, picture)
        assert same == (not transform.strength(size) or (transform.of_colour and mode == "L"))


@EACH
def test_one_pixel_can_be_transformed(transform):
    for size in transform.sizes:
        assert transform.apply(noise(1, 1), size).size == (1, 1)


@given(st.integers(-3, 3))
def test_full_turns_are_the_identity(turns):
    picture = noise()
    assert TRANSFORM_OF["rotate"].apply(picture, 360 * turns) is picture


def test_quarter_turns_of_a_square_are_those_of_pillow():
    picture = noise(25, 25)
    ways = {
        90: Image.Transpose.ROTATE_90,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_270,
    }
    for degrees, way in ways.items():
        turned = TRANSFORM_OF["rotate"].apply(picture, degrees)
        np.testing.assert_array_equal(turned, picture.transpose(way))


def test_pictures_are_moved_by_whole_pixels_and_mirrored_at_the_border():
    picture = noise(20, 10)
    pixels = np.asarray(picture)
    right = np.asarray(TRANSFORM_OF["translate-x"].apply(picture, 10))
    np.testing.assert_array_equal(right[:, 2:], pixels[:, :-2])
    np.testing.assert_array_equal(right[:, :2], pixels[:, 1::-1])
    up = np.asarray(TRANSFORM_OF["translate-y"].apply(picture, -20))
    np.testing.assert_array_equal(up[:-2], pixels[2:])
    np.testing.assert_array_equal(up[-2:], pixels[:-3:-1])


def test_a_picture_of_one_colour_stays_so_where_only_places_change():
    picture = Image.new("RGB", (31, 17), (200, 30, 90))
    for name in ("translate-x", "translate-y", "scale", "rotate", "blur"):
        for size in TRANSFORM_OF[name].sizes:
            np.testing.assert_array_equal(TRANSFORM_OF[name].apply(picture, size), picture)


def test_the_hue_of_red_turns_to_that_of_green():
    turned = TRANSFORM_OF["hue"].apply(Image.new("RGB", (2, 2), (255, 0, 0)), 120)
    red, green, blue = turned.getpixel((0, 0))
    assert green == 255
    assert max(red, blue) < 10


def test_brightness_scales_values():
    grey = Image.new("L", (3, 3), 100)
    assert TRANSFORM_OF["brightness"].apply(grey, 0.7).getpixel((1, 1)) == 70
    assert TRANSFORM_OF["brightness"].apply(grey, 1.3).getpixel((1, 1)) == 130

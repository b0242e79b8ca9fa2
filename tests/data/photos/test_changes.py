"""Changes of the input do what their words say, and are declared once."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from errlens.data.photos.changes import CHANGE_OF, CHANGES
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.retouching import without_borders

USED = Preprocessing((64, 64), 0.875, "center", "bicubic", (0.5,) * 3, (0.5,) * 3)
PICTURES = [change for change in CHANGES if not (change.settings or change.photo or change.upright)]


@pytest.fixture
def noise():
    pixels = np.random.default_rng(0).integers(20, 200, (40, 60, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_every_change_has_a_name_of_its_own_and_says_what_it_would_mean():
    assert len(CHANGE_OF) == len(CHANGES)
    for change in CHANGES:
        assert change.name.isidentifier()
        assert change.words
        assert change.seems.split()[0] in {"be", "have", "lie", "lose", "need", "show", "stand"}
        assert change.mend


@pytest.mark.parametrize("change", PICTURES, ids=lambda change: change.name)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_change_of_the_picture_keeps_its_mode_and_size(change, mode, noise):
    changed = change.picture(noise.convert(mode))
    assert changed.mode == mode
    assert changed.size == ((40, 60) if change.turns else (60, 40))


def test_a_turn_to_the_left_and_one_to_the_right_are_none(noise):
    left, right = CHANGE_OF["turn_90"].picture, CHANGE_OF["turn_270"].picture
    assert right(left(noise)) == noise
    assert np.array_equal(np.asarray(left(noise)), np.rot90(np.asarray(noise)))


@pytest.mark.parametrize("name", ["turn_180", "mirror", "flip", "blue_first", "inverted"])
def test_what_is_done_twice_is_undone(name, noise):
    change = CHANGE_OF[name].picture
    assert change(noise) != noise
    assert change(change(noise)) == noise


def test_what_is_lighter_darker_sharper_smoother_is_so(noise):
    def of(name, figure):
        return figure(np.asarray(CHANGE_OF[name].picture(noise), float))

    before = np.asarray(noise, float)
    assert of("darker", np.mean) < before.mean() < of("lighter", np.mean)
    for less, more in (("smoother", "sharper"), ("denoised", "sharper")):
        assert of(less, np.std) < before.std() < of(more, np.std)
    assert of("autocontrast", np.ptp) > np.ptp(before)


def test_without_colour_or_cast_the_channels_have_one_mean(noise):
    tinted = Image.merge(
        "RGB",
        [
            band.point(lambda v, f=f: v * f)
            for band, f in zip(noise.split(), (1.0, 0.7, 0.4), strict=True)
        ],
    )
    for name in ("grey", "balanced"):
        means = np.asarray(CHANGE_OF[name].picture(tinted), float).mean(axis=(0, 1))
        assert np.ptp(means) < 1


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
@pytest.mark.parametrize("sides", [(8, 8, 8, 8), (0, 10, 0, 10), (5, 0, 0, 0)])
def test_borders_of_any_colour_are_cut_off(noise, colour, sides):
    assert without_borders(ImageOps.expand(noise, sides, colour)) == noise


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_image_without_borders_or_with_nothing_else_is_left_alone(noise, mode):
    for image in (noise.convert(mode), Image.new(mode, (30, 20))):
        assert without_borders(image) is image


def test_a_line_at_the_edge_is_no_border():
    pixels = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    pixels[:2] = 0
    image = Image.fromarray(pixels)
    assert without_borders(image) is image


@pytest.mark.parametrize("used", [
    USED,
    Preprocessing((64, 64), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3),
    Preprocessing((48, 96), 1.0, "border", "nearest", (0.5,), (0.5,)),
    Preprocessing((8, 8), 1.3, "center", "box", (0.5,), (0.5,)),
])  # fmt: skip
def test_settings_that_replace_something_replace_it_by_another_value(used):
    for change in CHANGES:
        if change.settings is None:
            continue
        replaced = change.settings(used)
        if isinstance(replaced, str):
            assert replaced
        else:
            assert any(getattr(used, name) != value for name, value in replaced.items())


def test_what_is_fed_whole_cannot_be_fed_wider():
    whole = Preprocessing((64, 64), 1.0, "squash", "bicubic", (0.5,) * 3, (0.5,) * 3)
    assert isinstance(CHANGE_OF["wider"].settings(whole), str)
    assert isinstance(CHANGE_OF["squash"].settings(whole), str)
    assert CHANGE_OF["larger"].settings(USED) == {"img_size": (96, 96)}

"""Corruptions of photos: laws that hold for all, and what each is by definition."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from errlens.data.photos.corruptions.drawing import Draw, disc, filtered, streak
from errlens.data.photos.corruptions.kinds import CORRUPTION_OF, CORRUPTIONS, SEVERITIES
from errlens.data.photos.corruptions.weather import plasma

EACH = pytest.mark.parametrize("corruption", CORRUPTION_OF.values(), ids=lambda each: each.name)
PUBLISHED = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur",
    "zoom_blur", "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate",
    "jpeg_compression",
)  # fmt: skip
# Those whose published constants do not say more and more: from the third severity on frost hides
# as much, of a picture that fades; fog grows finer, not only thicker; elastic tilts at first and
# bends then; saturation falls at first and rises then.
NOT_IN_ORDER = {"frost", "fog", "elastic_transform", "saturate"}


@cache
def natural(width=224, height=224, *, seed=3):
    """A picture with the spectrum of photos, 1 / frequency, and two objects with edges."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    frequency[0, 0] = np.inf
    noise = np.fft.fft2(random.normal(size=(3, height, width)))
    clouds = np.fft.ifft2(noise / frequency).real.transpose(1, 2, 0)
    clouds = 0.45 + 0.16 * clouds / max(clouds.std(), 1e-9)
    rows, columns = np.mgrid[:height, :width]
    clouds[np.hypot(rows - height / 2, columns - width / 3) < height / 5] *= 0.3
    clouds[:, columns[0] > 0.7 * width] *= 1.5
    return Image.fromarray((255 * clouds.clip(0, 1)).astype(np.uint8))


def away(picture, other):
    one, two = (np.asarray(each, np.float64) for each in (picture, other))
    return ((one - two) ** 2).mean()


def grey(shade, side=128, mode="RGB"):
    return Image.new(mode, (side, side), (shade,) * len(mode))


def values(picture):
    return np.asarray(picture, np.float64) / 255


def test_the_fifteen_are_those_of_the_publication():
    assert tuple(each.name for each in CORRUPTIONS) == PUBLISHED
    assert {each.family for each in CORRUPTIONS} == {"noise", "blur", "weather", "digital"}


@EACH
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_keeps_its_size_and_mode_and_is_itself_at_0(corruption, mode):
    picture = natural(96, 80).convert(mode)
    assert corruption.apply(picture, 0) is picture
    for severity in SEVERITIES:
        made = corruption.apply(picture, severity)
        assert (made.size, made.mode) == (picture.size, mode)
        same = made.tobytes() == picture.tobytes()
        assert same == (corruption.of_colour and mode == "L")


@EACH
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 1)])
def test_a_few_pixels_can_be_corrupted(corruption, size):
    picture = natural(*size)
    for severity in SEVERITIES:
        assert corruption.apply(picture, severity).size == size


@EACH
def test_more_severe_is_further_away(corruption):
    pictures = [natural(seed=seed) for seed in range(3)]
    distances = [
        np.mean([away(picture, corruption.apply(picture, severity)) for picture in pictures])
        for severity in SEVERITIES
    ]
    assert min(distances) > 0
    if corruption.name not in NOT_IN_ORDER:
        assert distances == sorted(distances)
    elif corruption.family == "weather":
        assert distances[0] < distances[1] < distances[4]


@EACH
def test_what_is_random_depends_on_picture_severity_and_seed_alone(corruption):
    picture, other = natural(64, 64), natural(64, 64, seed=4)
    made = corruption.apply(picture, 3, seed=1).tobytes()
    corruption.apply(other, 3, seed=1)
    assert corruption.apply(picture.copy(), 3, seed=1).tobytes() == made


@pytest.mark.parametrize(
    "name",
    ["gaussian_noise", "shot_noise", "impulse_noise", "glass_blur", "motion_blur", "snow", "frost",
     "fog", "elastic_transform", "speckle_noise"],
)  # fmt: skip
def test_other_seeds_and_other_pictures_have_other_noise(name):
    picture = natural(64, 64)
    one, two = (CORRUPTION_OF[name].apply(picture, 2, seed=seed) for seed in (0, 1))
    assert one.tobytes() != two.tobytes()
    plain, lighter = (values(CORRUPTION_OF[name].apply(grey(each), 2)) for each in (100, 101))
    if name.endswith("noise"):
        assert abs(np.corrcoef(plain.ravel(), lighter.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_noise_has_the_deviation_stated(severity):
    std = CORRUPTION_OF["gaussian_noise"].how[severity - 1]
    noise = values(CORRUPTION_OF["gaussian_noise"].apply(grey(128), severity)) - 128 / 255
    within = np.abs(noise) < 0.49  # what was not cut off
    expected = std if std < 0.15 else None
    if expected:
        assert noise.std() == pytest.approx(expected, rel=0.03)
    # The share beyond one deviation is that of a normal distribution.
    assert (np.abs(noise[within]) < min(std, 0.49)).sum() / noise.size == pytest.approx(
        0.6827, abs=0.02
    )


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("shade", [26, 51])
def test_shot_noise_has_the_variance_of_counted_photons(severity, shade):
    corruption = CORRUPTION_OF["shot_noise"]
    photons, mean = corruption.how[severity - 1], shade / 255
    pixels = values(corruption.apply(grey(shade, 200), severity))
    cut_off = photons < 20  # bright values of few photons are
    assert pixels.mean() == pytest.approx(mean, rel=0.05)
    assert pixels.var() == pytest.approx(mean / photons, rel=0.12 if cut_off else 0.05)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_impulse_noise_spoils_the_share_stated_half_of_it_white(severity):
    corruption = CORRUPTION_OF["impulse_noise"]
    pixels = np.asarray(corruption.apply(grey(100, 200), severity))
    share = corruption.how[severity - 1]
    for extreme in (0, 255):
        assert (pixels == extreme).mean() == pytest.approx(share / 2, rel=0.05)
    assert set(np.unique(pixels)) == {0, 100, 255}
    assert not (pixels == pixels[:, :, :1]).all()  # each channel has its own


def test_speckle_noise_grows_with_the_value():
    stds = [
        values(CORRUPTION_OF["speckle_noise"].apply(grey(shade), 1)).std() * 255
        for shade in (40, 80)
    ]
    np.testing.assert_allclose(stds, [0.15 * 40, 0.15 * 80], rtol=0.05)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_jpeg_is_that_of_pillow(severity):
    corruption, picture = CORRUPTION_OF["jpeg_compression"], natural(100, 80)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=(25, 18, 15, 10, 7)[severity - 1])
    np.testing.assert_array_equal(corruption.apply(picture, severity), Image.open(file))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_contrast_shrinks_around_the_mean_of_each_channel(severity):
    corruption, picture = CORRUPTION_OF["contrast"], natural(90, 70)
    before = np.asarray(picture, np.float64)
    mean = before.mean(axis=(0, 1))
    after = np.asarray(corruption.apply(picture, severity), np.float64)
    expected = mean + corruption.how[severity - 1] * (before - mean)
    assert np.abs(after - expected).max() <= 0.5 + 1e-3


def test_pixelated_pictures_are_squares_of_one_colour_that_is_their_mean():
    picture = natural()
    for severity, (small, across) in {3: (89, None), 5: (56, 4)}.items():
        made = np.asarray(CORRUPTION_OF["pixelate"].apply(picture, severity))
        assert len(np.unique(made.reshape(224, -1), axis=0)) <= small
        if across:
            squares = made.reshape(56, 4, 56, 4, 3)
            assert (squares == squares[:, :1, :, :1]).all()
            means = np.asarray(picture, float).reshape(56, 4, 56, 4, 3).mean(axis=(1, 3))
            assert np.abs(squares[:, 0, :, 0] - means).max() <= 1


def test_brightness_adds_to_the_value_and_keeps_hue_and_saturation():
    picture = Image.new("RGB", (8, 8), (100, 50, 20))
    made = CORRUPTION_OF["brightness"].apply(picture, 2).getpixel((0, 0))
    value = 100 + 0.2 * 255
    np.testing.assert_allclose(made, [value, value / 2, value / 5], atol=0.5)
    assert CORRUPTION_OF["brightness"].apply(grey(0), 1).getpixel((0, 0)) == (26, 26, 26)
    assert CORRUPTION_OF["brightness"].apply(grey(250), 5).getpixel((0, 0)) == (255, 255, 255)


def test_saturation_is_that_of_hue_saturation_and_value():
    picture = Image.new("RGB", (8, 8), (200, 150, 100))
    less = CORRUPTION_OF["saturate"].apply(picture, 1).getpixel((0, 0))
    np.testing.assert_allclose(less, [200, 200 - 0.3 * 50, 200 - 0.3 * 100], atol=0.5)
    more = CORRUPTION_OF["saturate"].apply(picture, 3).getpixel((0, 0))
    np.testing.assert_allclose(more, [200, 100, 0], atol=0.5)


def test_blurs_keep_pictures_of_one_colour_and_the_mean_of_others():
    picture = natural()
    mean = np.asarray(picture, float).mean()
    for name in ("defocus_blur", "glass_blur", "motion_blur", "gaussian_blur", "zoom_blur"):
        plain = np.asarray(CORRUPTION_OF[name].apply(grey(90), 4), float)
        assert np.abs(plain - 90).max() <= 1, name
        blurred = np.asarray(CORRUPTION_OF[name].apply(picture, 3), float)
        assert blurred.mean() == pytest.approx(mean, rel=0.05), name


def test_glass_blur_moves_the_values_there_are(monkeypatch):
    """Without its softening it is a permutation of pixels, each near where it was."""
    from errlens.data.photos.corruptions import blur

    rows, columns = np.mgrid[:60, :50].astype(np.float32)
    pixels = np.stack([rows / 60, columns / 50], axis=2)
    monkeypatch.setattr(blur, "_softened", lambda values, _sigma: values)
    for scale in (1.0, 0.3):
        draw = Draw(np.random.default_rng(0), scale)
        made = blur.glass(pixels, (0.7, 2, 1), draw)
        order = np.lexsort((made[:, :, 1].ravel(), made[:, :, 0].ravel()))
        np.testing.assert_array_equal(made.reshape(-1, 2)[order], pixels.reshape(-1, 2))
        moved = np.abs(made[:, :, 0] - pixels[:, :, 0]) * 60
        assert 0 < moved.mean() < 2 * scale + 0.3


def test_filters_are_those_of_scipy():
    pixels = values(natural(40, 30)).astype(np.float32)
    for kernel in (disc(3.4), streak(6, 3.0, 30.0)):
        assert kernel.sum() == pytest.approx(1)
        expected = np.stack(
            [ndimage.convolve(pixels[:, :, at], kernel, mode="mirror") for at in range(3)], axis=2
        )
        np.testing.assert_allclose(filtered(pixels, kernel), expected, atol=1e-5)
    assert disc(4).max() == pytest.approx(1 / (np.pi * 16), rel=0.02)


def test_lengths_grow_with_the_side_of_a_picture():
    """A picture of half the side is blurred and bent by half as many pixels."""
    large = natural(448, 448)
    small = large.resize((224, 224), Image.Resampling.BOX)
    for name in ("defocus_blur", "gaussian_blur", "zoom_blur"):
        corruption = CORRUPTION_OF[name]
        shrunk = corruption.apply(large, 4).resize((224, 224), Image.Resampling.BOX)
        assert away(shrunk, corruption.apply(small, 4)) < 0.05 * away(small, shrunk), name


def test_clouds_go_on_at_the_opposite_border():
    clouds = plasma(64, 1.6, np.random.default_rng(0))
    assert (clouds.min(), clouds.max()) == (0, 1)
    inside = np.abs(np.diff(clouds, axis=0)).mean()
    assert np.abs(clouds[0] - clouds[-1]).mean() < 3 * inside

import hashlib

import numpy as np
import pytest
from PIL import Image

from errlens.data.photos.images import ImageFile, Unread
from errlens.data.photos.loading import load_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.thumbnails import load_thumbnails, open_in_sizes, open_thumbnail

HALF = (0.5, 0.5, 0.5)
FED = Preprocessing((24, 24), 0.8, "center", "bicubic", HALF, HALF)


def save(path, size, *, seed=0, **options):
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    image.save(path, **options)
    return image


@pytest.mark.parametrize(
    ("size", "expected"),
    [((800, 600), (100, 75)), ((60, 500), (12, 100)), ((70, 60), (70, 60)), ((32, 16), (96, 48)),
     ((1, 1), (100, 100)), ((3000, 1), (100, 1))],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_longest_side_fits_and_tiny_images_are_enlarged_whole(tmp_path, size, expected, suffix):
    save(tmp_path / f"a{suffix}", size)
    shown = open_thumbnail(ImageFile(tmp_path / f"a{suffix}"), side=100).shown
    assert (shown.shape[1], shown.shape[0]) == expected
    assert shown.dtype == np.uint8


def test_a_thumbnail_shows_the_photo(tmp_path):
    image = save(tmp_path / "a.jpg", (1600, 1200), quality=95)
    shown = open_thumbnail(ImageFile(tmp_path / "a.jpg"), side=160).shown
    small = np.asarray(image.resize((160, 120), Image.Resampling.LANCZOS), int)
    assert np.abs(shown - small).mean() < 3


def test_a_photo_stored_sideways_is_shown_upright_and_fed_as_it_was(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = save(tmp_path / "a.png", (60, 40), exif=exif)
    found = open_thumbnail(ImageFile(tmp_path / "a.png"), side=64, preprocessing=FED)
    assert found.shown.shape == (60, 40, 3)
    np.testing.assert_array_equal(
        found.shown, np.asarray(image.transpose(Image.Transpose.ROTATE_270))
    )
    np.testing.assert_array_equal(found.as_fed[::2, ::2], np.asarray(FED.fit(image)))


@pytest.mark.parametrize(
    "preprocessing",
    [FED, Preprocessing((64, 48), 1.0, "squash", "bilinear", HALF, HALF, exif=True)],
)
def test_as_fed_is_what_evaluate_loads(tmp_path, preprocessing):
    save(tmp_path / "a.jpg", (90, 70))
    found = open_thumbnail(ImageFile(tmp_path / "a.jpg"), side=64, preprocessing=preprocessing)
    fed = load_input(tmp_path / "a.jpg", preprocessing).value
    times = found.as_fed.shape[0] // fed.shape[0]
    np.testing.assert_array_equal(found.as_fed[::times, ::times], fed)


def test_channels_are_shown_as_colours(tmp_path):
    save(tmp_path / "a.png", (24, 24))
    plain = {
        "img_size": (24, 24),
        "crop_pct": 1.0,
        "crop_mode": "center",
        "interpolation": "bicubic",
    }
    colour, swapped, grey = (
        open_thumbnail(ImageFile(tmp_path / "a.png"), side=24, preprocessing=one).as_fed
        for one in (
            Preprocessing(**plain, mean=HALF, std=HALF),
            Preprocessing(**plain, mean=HALF, std=HALF, bgr=True),
            Preprocessing(**plain, mean=(0.5,), std=(0.5,)),
        )
    )
    np.testing.assert_array_equal(colour, swapped)
    assert (grey[:, :, 0] == grey[:, :, 2]).all()
    assert not (colour[:, :, 0] == colour[:, :, 2]).all()


def test_another_file_under_the_same_name_is_not_shown(tmp_path):
    save(tmp_path / "a.png", (20, 20))
    known = hashlib.sha256((tmp_path / "a.png").read_bytes()).digest()[:16]
    assert not isinstance(open_thumbnail(ImageFile(tmp_path / "a.png", known), side=20), Unread)
    save(tmp_path / "a.png", (20, 20), seed=1)
    found = open_thumbnail(ImageFile(tmp_path / "a.png", known), side=20)
    assert found.reason == "another file now"


def test_what_cannot_be_shown_has_a_reason_and_the_rest_is(tmp_path):
    save(tmp_path / "good.png", (20, 20))
    (tmp_path / "bad.jpg").write_bytes(b"<html>no photo</html>")
    names = ["good.png", "gone.png", "bad.jpg", "good.png"]
    found = list(load_thumbnails([ImageFile(tmp_path / name) for name in names], side=20))
    assert [getattr(thumbnail, "reason", None) for thumbnail in found] == [
        None, "no such file", "not an image but an HTML page", None,
    ]  # fmt: skip


def test_a_photo_like_a_thread_is_shown_though_it_could_not_be_fed(tmp_path):
    long = Preprocessing((224, 224), 0.9, "border", "bicubic", HALF, HALF)
    save(tmp_path / "a.png", (6000, 1))
    found = open_thumbnail(ImageFile(tmp_path / "a.png"), side=100, preprocessing=long)
    assert found.shown.shape == (1, 100, 3)
    assert isinstance(found.as_fed, Unread)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((800, 600), [(100, 75), (400, 300)]), ((300, 200), [(100, 67), (300, 200)]),
     ((30, 20), [(90, 60), (30, 20)])],
)  # fmt: skip
def test_of_several_sizes_only_the_first_is_enlarged(tmp_path, size, expected):
    save(tmp_path / "a.jpg", size)
    found = open_in_sizes(ImageFile(tmp_path / "a.jpg"), sides=(100, 400))
    assert [pixels.shape[1::-1] for pixels in found] == expected


@pytest.mark.parametrize("upright", [True, False])
def test_a_photo_lies_as_it_is_wanted_in_every_size(tmp_path, upright):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = save(tmp_path / "a.png", (60, 40), exif=exif)
    _, large = open_in_sizes(ImageFile(tmp_path / "a.png"), sides=(30, 100), upright=upright)
    expected = image.transpose(Image.Transpose.ROTATE_270) if upright else image
    np.testing.assert_array_equal(large, np.asarray(expected))


def test_a_photo_that_is_gone_or_damaged_has_no_size(tmp_path):
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    for name, status in (("a.jpg", "missing"), ("b.jpg", "unreadable")):
        found = open_in_sizes(ImageFile(tmp_path / name), sides=(100,))
        assert isinstance(found, Unread)
        assert found.status == status

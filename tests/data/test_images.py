import hashlib
import os
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image, ImageOps

from errlens.data.images import Photo, Unread, open_photo

NOBODY = 65534


@contextmanager
def without_privilege():
    """Be a user who may not read everything, where we are one who may."""
    if os.name == "nt":
        pytest.skip("no file permissions to speak of on this platform")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_a_good_photo_has_its_pixels_size_and_hash(photo):
    found = open_photo(photo)
    assert isinstance(found, Photo)
    assert (found.width, found.height) == (64, 48)
    assert found.content_hash == hashlib.sha256(photo.read_bytes()).digest()[:16]
    with Image.open(photo) as image:
        np.testing.assert_array_equal(found.image, image.convert("RGB"))


def test_each_bad_file_has_a_status_and_a_reason(photo, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "page.jpg").write_text("\n <!DOCTYPE html>\n<title>404</title>")
    (tmp_path / "text.jpg").write_text("just words")
    (tmp_path / "short.jpg").write_bytes(photo.read_bytes()[:-200])
    (tmp_path / "dangling.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    expected = {
        "empty.jpg": ("unreadable", "empty file"),
        "page.jpg": ("unreadable", "not an image but an HTML page"),
        "text.jpg": ("unreadable", "not an image that Pillow knows"),
        "short.jpg": ("unreadable", "truncated"),
        "dangling.jpg": ("missing", "no such file"),
        "gone.jpg": ("missing", "no such file"),
        "photo.jpg/inside.jpg": ("missing", "no such file"),
        "loop.jpg": ("unreadable", "too many levels of symbolic links"),
        "folder.jpg": ("unreadable", "not a regular file"),
        "pipe.jpg": ("unreadable", "not a regular file"),
        "null\0.jpg": ("missing", "null"),
    }
    for name, (status, reason) in expected.items():
        found = open_photo(tmp_path / name)
        assert isinstance(found, Unread), name
        assert found.status == status, name
        assert reason in found.reason, name


def test_a_file_without_permission_is_unreadable(photo):
    photo.chmod(0)
    with without_privilege():
        found = open_photo(photo)
    assert isinstance(found, Unread)
    assert (found.status, found.reason) == ("unreadable", "permission denied")


def test_a_decompression_bomb_is_unreadable(tmp_path, monkeypatch):
    Image.new("RGB", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    found = open_photo(tmp_path / "bomb.png")
    assert isinstance(found, Unread)
    assert "DecompressionBomb" in found.reason


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_mode_becomes_what_timms_loader_makes_of_it(tmp_path, mode):
    rng = np.random.default_rng(1)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 2**16, (9, 7), dtype=np.uint16))
    else:
        image = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).convert(mode)
    path = tmp_path / f"image.{'tif' if mode == 'CMYK' else 'png'}"
    image.save(path)
    found = open_photo(path)
    assert isinstance(found, Photo)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(found.image, opened.convert("RGB"))
    assert open_photo(path, mode="L").image.mode == "L"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_pixels_only_when_asked_but_the_size_is_always_as_shown(tmp_path, orientation):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(2).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    plain, turned = open_photo(path), open_photo(path, exif=True)
    np.testing.assert_array_equal(plain.image, pixels)
    np.testing.assert_array_equal(turned.image, upright)
    assert (plain.width, plain.height) == (turned.width, turned.height) == upright.size


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow remarks on it too
def test_damaged_exif_beside_good_pixels_is_no_failure(tmp_path):
    image = Image.new("RGB", (8, 8), "red")
    image.save(tmp_path / "odd.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff\xff\xff")
    found = open_photo(tmp_path / "odd.jpg")
    assert isinstance(found, Photo)
    assert (found.width, found.height) == (8, 8)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on damaged files
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tif", "bmp"])
def test_no_mutation_of_a_photo_raises(photo, tmp_path, suffix):
    source = tmp_path / f"source.{suffix}"
    with Image.open(photo) as image:
        image.resize((16, 12)).save(source)
    content, rng = source.read_bytes(), np.random.default_rng(3)
    target = tmp_path / f"mutant.{suffix}"
    for _ in range(80):
        mutant = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            mutant[place] = rng.integers(0, 256)
        target.write_bytes(mutant[: rng.integers(1, len(mutant) + 1)])
        assert isinstance(open_photo(target), Photo | Unread)
